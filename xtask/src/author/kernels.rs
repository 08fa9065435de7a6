//! `cargo xtask kernels`: the tests on kernels from packages, in emulated machines. What does it is a
//! package of its own, `xtask/kernels`, because a learner compiles this one.

use std::process::ExitCode;

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::cargo;
use crate::shared::failure::Result;

pub(crate) const USAGE: Usage = Usage {
    name: "kernels",
    forms: &[("[KERNEL…]", "the tests on other kernels, from packages and in an emulator")],
    options: &[
        ("--as ACCOUNT", "as root or as user only"),
        ("--suite SUITE", "these tests only; may be given more than once"),
        ("--test NAME", "of them those only in whose names this occurs"),
        ("--short", "a few tests only, on the oldest kernel and the newest one"),
        ("--record", "write what came of it to `book/kernels.md`, which the book shows"),
    ],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let mut own = cargo::command();
    own.args(["run", "--quiet", "--package", "kernels", "--"]);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long(name @ ("as" | "suite" | "test")) => {
                let option = format!("--{name}");
                own.arg(option).arg(arguments.value("a name")?);
            }
            Argument::Long(name @ ("short" | "record")) => _ = own.arg(format!("--{name}")),
            Argument::Value(kernel) => _ = own.arg(kernel),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let status = own.status().map_err(cargo::not_started)?;
    Ok(ExitCode::from(status.code().map_or(130, |code| code as u8)))
}
