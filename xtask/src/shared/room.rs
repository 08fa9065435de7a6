//! The room of a workshop, as a participant's checkout knows it: the address, what is sent, and what waits to
//! be sent. The room itself is a package of its own, `xtask/room`.
//!
//! Nothing is sent before [`Desk::join`], and then only what [`said_before`] lists. A report is first kept in
//! the checkout, in `.room`, with a number of its own, and goes away when the room has answered with that
//! number or a higher one. So a network that fails loses nothing, and what arrives twice counts once.

mod address;
mod desk;
mod event;
mod http;

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

pub use address::{Address, PORT, code_of};
pub use desk::{Desk, Left, Sent};
pub use event::{Event, Outcome, Report, Signal, edition_of, name_of, text_of};

use crate::shared::arguments::Usage;
use crate::shared::chapter::root;
use crate::shared::screen::{self, Screen};

/// How `cargo xtask room` is called. Its package reads the command line, and this one lists the command.
pub const USAGE: Usage = Usage {
    name: "room",
    forms: &[(
        "",
        "a page for a workshop: how far the participants are who have joined, who is stuck, and which \
         mistake is made most; it forgets all when it ends",
    )],
    options: &[
        ("--port N", "listen on this port, instead of 8440; 0 takes any that is free"),
        ("--keep FILE", "keep the room in this file, so that it can be ended and started again"),
    ],
};

/// The format of what is sent and kept.
pub const SCHEMA: u64 = 1;

/// What a request may have in bytes, and an answer.
pub const LONGEST: usize = 64 * 1024;

/// How long a command waits for the room at most, whatever the network does.
pub const PATIENCE: Duration = Duration::from_millis(1500);

/// The whole of what leaves a laptop, said before the first of it does.
pub fn said_before(address: &Address, name: &str, screen: Screen) -> String {
    let sent = [
        &format!(
            "the name `{}`, and a random number by which the room knows this checkout again",
            screen::plain(name)
        ),
        "which edition of the course this is",
        "after a check: the chapter, whether it could be built and checked, how many of its steps passed and of how \
         many, and the name of the mistake if one was recognized",
        "`cargo xtask stuck` with the text you give it, and `cargo xtask done`",
        "a number that counts these reports",
    ];
    let head = format!("what this checkout tells {address} from now on, and nothing else:");
    let end = "no line of a program leaves the laptop; `cargo xtask leave` ends it";
    let sent: String = sent.iter().map(|one| screen.hanging("  - ", one)).collect();
    screen.wrapped(&head, "") + &sent + &screen.wrapped(end, "")
}

/// Tells the room what has happened, if this checkout is in one. The command goes on whatever comes of it: at
/// most it waits for [`PATIENCE`] and prints a note, once.
pub fn report(event: Event) {
    /// A room that did not answer is not asked again by the same command: its reports wait for the next one.
    static SILENT: AtomicBool = AtomicBool::new(false);
    static TOLD: Once = Once::new();
    let is_silent = SILENT.load(Ordering::Relaxed);
    let patience = if is_silent { Duration::ZERO } else { PATIENCE };
    let sent = tell(event, patience);
    if matches!(sent, Sent::Later(_)) {
        SILENT.store(true, Ordering::Relaxed);
    }
    if let Some(note) = sent.note() {
        TOLD.call_once(|| screen::warn(&format!("note: {note}\n")));
    }
}

/// Keeps the event and sends all that waits. With no patience at all it is only kept.
pub fn tell(event: Event, patience: Duration) -> Sent {
    let work = move || {
        let desk = Desk::of(&root());
        match desk.add(event) {
            Ok(true) if patience.is_zero() => Sent::Nothing,
            Ok(true) => desk.send(patience),
            Ok(false) => Sent::Nothing,
            Err(failure) => Sent::Refused(failure.to_string()),
        }
    };
    within(patience.max(PATIENCE), work).unwrap_or_else(|| Sent::Later("it is slow".to_owned()))
}

/// Does it in a thread, because the name of a host may take the resolver half a minute. `None` if it takes
/// longer than that; the thread ends with the process.
pub fn within<T: Send + 'static>(
    patience: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, result) = mpsc::channel();
    thread::Builder::new().spawn(move || _ = sender.send(work())).ok()?;
    result.recv_timeout(patience + Duration::from_millis(200)).ok()
}
