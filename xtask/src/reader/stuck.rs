//! `cargo xtask stuck`: a raised hand in the room of a workshop.

use std::process::ExitCode;

use crate::reader::done;
use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::failure::{Failure, Result};
use crate::shared::room::{Event, Signal};

pub(crate) const USAGE: Usage = Usage {
    name: "stuck",
    forms: &[("[TEXT…]", "tell the room of a workshop that you need help, and with what")],
    options: &[("--over", "you go on by yourself; so does `done`, and a chapter that is solved")],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut words, mut over) = (Vec::new(), false);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("over") => over = true,
            Argument::Value(word) => words.push(word.to_string_lossy().into_owned()),
            other => return Err(USAGE.unexpected(other)),
        }
    }
    let text = words.join(" ");
    if over && !text.is_empty() {
        return Err(Failure::usage("`--over` takes no text"));
    }
    let (signal, said) = match over {
        true => (Signal::Over, "the room knows that you go on"),
        false => (Signal::Stuck, "the room knows that you are stuck"),
    };
    done::send(Event::Signal { signal, text }, said).map(|()| ExitCode::SUCCESS)
}
