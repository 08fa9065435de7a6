//! A process that the program has never started and becomes the parent of all the same, in the PID
//! namespace that it has made.
//!
//! Programs that manage containers meet such orphans. They are subreapers (prctl(2)), and the
//! parent of a process that has entered the container with setns(2) is outside. Here that parent is
//! forked before the program's exec, so it is the program's child. It waits for a PID 1 below this
//! PID namespace, forks a child into that namespace, and ends. The child is an orphan, and the
//! program is the nearest subreaper above it.

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
        // No pipe may stay open because of this process.
        _ = sys::close_from_except(0, &[]);
        enter();
        exit(0);
    }
    Ok(())
}

fn enter() {
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

/// The pid here of a process that has a pid in one PID namespace more than this one, and it is 1.
fn pid_1_below() -> Option<String> {
    let entries = fs::read_dir("/proc").ok()?;
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut pids = pids.filter(|name| name.starts_with(|c: char| c.is_ascii_digit()));
    pids.find(|pid| {
        let status = Fields::read(format!("/proc/{pid}/status")).unwrap_or_default();
        matches!(status.pids()[..], [_, 1])
    })
}
