//! A program that is several commands: its first word says which. `cargo xtask` starts it.

use std::process::ExitCode;

use crate::shared::arguments::{Arguments, Usage};
use crate::shared::failure::{Failure, Result};

/// A command: how it is called, and what it does.
pub type Command = (&'static Usage, fn(Arguments) -> Result);

/// Does what the first word names, and prints why that failed. The exit status is for `main` to return.
pub fn one_of(commands: &[Command]) -> ExitCode {
    let mut words = std::env::args_os().skip(1);
    let name = words.next().unwrap_or_default();
    let done = match commands.iter().find(|(usage, _)| name == usage.name) {
        Some((_, run)) => run(Arguments::new(words)),
        None => Err(Failure::usage("this program is started by `cargo xtask`")),
    };
    done.unwrap_or_else(|failure| {
        failure.print();
        ExitCode::from(failure.code())
    })
}
