//! `cargo xtask leave`: the room of a workshop is told nothing more, and forgets the name.

use std::process::ExitCode;

use crate::shared::arguments::{Arguments, Usage};
use crate::shared::chapter::root;
use crate::shared::failure::Result;
use crate::shared::room::{Desk, Left, PATIENCE};
use crate::shared::screen;

pub(crate) const USAGE: Usage = Usage {
    name: "leave",
    forms: &[("", "leave the room of a workshop, which forgets you")],
    options: &[],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    if let Some(argument) = arguments.next()? {
        return Err(USAGE.unexpected(argument));
    }
    screen::print(&match Desk::of(&root()).leave(PATIENCE)? {
        Left::Nothing => "you are in no room\n".to_owned(),
        Left::Forgotten(name) => format!("the room has forgotten `{name}`\n"),
        Left::Untold(name, why) => format!(
            "you have left; the room could not be told ({why}), so it may show `{name}` until it ends\n"
        ),
    });
    Ok(ExitCode::SUCCESS)
}
