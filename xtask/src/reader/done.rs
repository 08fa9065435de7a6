//! `cargo xtask done`: the room of a workshop is told that this participant is ready to go on.

use std::process::ExitCode;

use crate::shared::arguments::{Arguments, Usage};
use crate::shared::chapter::root;
use crate::shared::failure::{Failure, Result};
use crate::shared::room::{self, Desk, Event, Sent, Signal};
use crate::shared::screen;

pub(crate) const USAGE: Usage = Usage {
    name: "done",
    forms: &[("", "tell the room of a workshop that you are ready to go on")],
    options: &[],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    if let Some(argument) = arguments.next()? {
        return Err(USAGE.unexpected(argument));
    }
    let event = Event::Signal { signal: Signal::Done, text: String::new() };
    send(event, "the room knows that you are done").map(|()| ExitCode::SUCCESS)
}

/// Sends a signal, and says whether the room has it.
///
/// # Errors
///
/// The checkout is in no room, or the signal cannot even be kept.
pub(crate) fn send(event: Event, said: &str) -> Result<()> {
    if Desk::of(&root()).place()?.is_none() {
        return Err(Failure::usage("this checkout is in no room")
            .help("`cargo xtask join URL NAME` joins the one whose page shows that URL"));
    }
    match room::tell(event, room::PATIENCE) {
        Sent::All | Sent::Nothing => screen::print(&format!("{said}\n")),
        sent => {
            let note = sent.note().unwrap_or_default();
            return Err(Failure::machine(note));
        }
    }
    Ok(())
}
