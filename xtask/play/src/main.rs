//! What runs in a lab before the reader's eyes: `cargo xtask run`, `trace`, `shell` and `challenge`, which build
//! this program and become it.

mod challenge;
mod live;
mod run;
mod shell;
mod trace;

use std::process::ExitCode;

use xtask::shared::command;
use xtask::shared::play::{CHALLENGE, RUN, SHELL, TRACE};

fn main() -> ExitCode {
    command::one_of(&[
        (&RUN, run::run),
        (&TRACE, trace::run),
        (&SHELL, shell::run),
        (&CHALLENGE, challenge::run),
    ])
}
