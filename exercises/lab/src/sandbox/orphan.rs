//! Somebody whom the program has never started and is the parent of all the same, in the PID
//! namespace that it has made.
//!
//! Programs that look after containers meet such strangers: they are subreapers (prctl(2)), and a
//! process that has entered the container with setns(2) has its parent out here. Ours is forked
//! before the program's exec, so it is the program's child. It waits for a PID 1 below this PID
//! namespace, lets a child be born beside it, and ends: the child is an orphan, and the program is
//! the next subreaper above.

use std::fs::{self, File};
use std::process::exit;
use std::time::Duration;

use nix::sched::{CloneFlags, setns};
use nix::unistd::pause;

use crate::look::Fields;
use crate::sys::{self, Fork};

/// In the program's process, before its exec.
///
/// # Errors
///
/// Those of prctl(2) and clone(2).
pub(crate) fn send() -> nix::Result<()> {
    nix::sys::prctl::set_child_subreaper(true)?;
    // SAFETY: this process has one thread.
    if let Fork::Child = unsafe { sys::fork_into(0) }? {
        // Whoever waits for the end of a pipe does not wait for us.
        _ = sys::close_from_except(0, &[]);
        come();
        exit(0);
    }
    Ok(())
}

fn come() {
    let file = loop {
        match pid_1_below().map(|pid| File::open(format!("/proc/{pid}/ns/pid"))) {
            Some(Ok(file)) => break file,
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    if setns(file, CloneFlags::CLONE_NEWPID).is_err() {
        return;
    }
    // SAFETY: this process has one thread.
    if let Ok(Fork::Child) = unsafe { sys::fork_into(0) } {
        loop {
            pause();
        }
    }
}

/// Who has one number more than we have, and it is 1.
fn pid_1_below() -> Option<String> {
    let entries = fs::read_dir("/proc").ok()?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut pids = pids.filter(|name| name.starts_with(|c: char| c.is_ascii_digit()));
    pids.find(|pid| {
        let status = Fields::read(format!("/proc/{pid}/status")).unwrap_or_default();
        matches!(status.pids()[..], [_, 1])
    })
}
