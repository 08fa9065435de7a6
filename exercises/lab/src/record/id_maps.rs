//! Deciding what becomes of an id map.
//!
//! A child that executes COMMAND without waiting for its maps is lucky on most runs. If its parent is
//! held at the call that writes them, it never is.

use std::ffi::c_long;
use std::time::{Duration, Instant};

use nix::unistd::Pid;

use super::ptrace;
use crate::env;
use crate::look::process::is_timed;
use crate::look::procfs::text_of;
use crate::look::stat::Stat;

/// What the recorder does when a process writes an id map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IdMaps {
    /// Nothing.
    #[default]
    Written,
    /// Holds the process until all others wait for an event, or have ended. A process that executes
    /// COMMAND without waiting for its maps is then always too early, and no sleep takes time.
    Held,
    /// Lets the writing of this map, `uid_map` or `gid_map`, fail with `EBADF`.
    Refused(String),
}

impl IdMaps {
    /// What becomes of a task at the entry of a call that writes to `file`. Returns whether it is to be
    /// held.
    pub(super) fn at_write(&self, pid: Pid, file: &str) -> bool {
        let name = file.rsplit('/').next().unwrap_or_default();
        match self {
            IdMaps::Written => false,
            IdMaps::Held => ["uid_map", "gid_map"].contains(&name),
            IdMaps::Refused(map) => {
                if name == map {
                    // No descriptor has this number.
                    _ = ptrace::set_first_argument(pid, u64::MAX);
                }
                false
            }
        }
    }
}

/// How often the others are looked at.
const INTERVAL: Duration = Duration::from_millis(1);

/// In how many looks, one after the other, all others have to wait.
const LOOKS: u32 = 5;

/// How long a parent is held while another task is never found waiting: it computes, waits with a time
/// limit, or asks again and again.
pub(super) const PARENT: Duration = Duration::from_millis(700);

/// The same for a task that writes an id map. A limit of a second is popular.
pub(super) const WRITER: Duration = Duration::from_millis(1200);

/// The calls that only sleep, with the argument that points to the time.
pub(super) const SLEEPS: [(c_long, usize); 2] =
    [(libc::SYS_nanosleep, 0), (libc::SYS_clock_nanosleep, 2)];

/// Makes the call in which a task is about to sleep return at once: there is no time to sleep, or it is
/// over.
pub(super) fn skip_sleep(pid: Pid, number: c_long, arguments: &[u64; 6]) {
    let sleep = SLEEPS.iter().find(|(call, _)| *call == number);
    let Some(address) = sleep.map(|(_, pointer)| arguments[*pointer]) else { return };
    for word in [address, address.wrapping_add(8)] {
        // A pointer that leads nowhere is the call's own error.
        _ = ptrace::write_word(pid, word, 0);
    }
}

/// A task that is held.
pub(super) struct Held {
    pub(super) pid: Pid,
    /// Whether it is a task that has not run yet.
    pub(super) is_new: bool,
    /// When it goes on in any case.
    until: Instant,
    looked: Instant,
    /// In how many looks all others have waited.
    calm: u32,
}

impl Held {
    pub(super) fn new(pid: Pid, longest: Duration) -> Held {
        let now = Instant::now();
        Held { pid, is_new: false, until: now + longest.mul_f64(slowness()), looked: now, calm: 0 }
    }

    /// A task that has not run yet.
    pub(super) fn new_task(pid: Pid) -> Held {
        Held { is_new: true, ..Held::new(pid, PARENT) }
    }

    /// Looks at the other tasks, after a moment. Returns whether the task is free to go on.
    pub(super) fn is_over(&mut self, others: &[Pid]) -> bool {
        std::thread::sleep(INTERVAL.saturating_sub(self.looked.elapsed()));
        self.looked = Instant::now();
        self.calm = if others.iter().all(|pid| waits(*pid)) { self.calm + 1 } else { 0 };
        others.is_empty() || self.calm >= LOOKS || self.looked >= self.until
    }
}

/// How many times longer things may take on this machine, by what is said about its patience: in an emulator
/// it takes more than a second to execute a program or two.
fn slowness() -> f64 {
    env::patience().div_duration_f64(env::USUAL_PATIENCE).clamp(1.0, 4.0)
}

/// Whether a task waits for an event that another one has to cause, or has ended.
fn waits(pid: Pid) -> bool {
    let call = text_of(format!("/proc/{pid}/syscall")).unwrap_or_default();
    let number = call.split(' ').next().and_then(|number| number.parse::<c_long>().ok());
    match (Stat::of(pid.as_raw()).map(|stat| stat.state), number) {
        (None | Some('Z' | 'X'), _) => true,
        // The reader of a full pipe is outside, and only slow.
        (Some('S'), Some(libc::SYS_write | libc::SYS_writev)) => false,
        (Some('S'), Some(_)) => !is_timed(&call),
        // It waits for the exec of its child.
        (Some('D'), Some(libc::SYS_clone | libc::SYS_clone3)) => true,
        #[cfg(target_arch = "x86_64")]
        (Some('D'), Some(libc::SYS_vfork)) => true,
        _ => false,
    }
}
