//! What only authors need: `cargo xtask verify` and `cargo xtask bench`, which build this program and become it.

mod bench;
mod verify;

use std::process::ExitCode;

use xtask::shared::authoring::{BENCH, VERIFY};
use xtask::shared::command;

fn main() -> ExitCode {
    command::one_of(&[(&VERIFY, verify::run), (&BENCH, bench::run)])
}
