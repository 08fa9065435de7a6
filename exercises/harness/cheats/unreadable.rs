//! Plays COMMAND as `witness_faker` does, from a copy of itself that may be executed but not read, so a
//! check without the machine's root cannot compare it with COMMAND.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

/// The first word of the copy.
const COPY: &str = "copy";

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_none_or(|first| first != COPY) {
        _ = fs::copy("/proc/self/exe", "/tmp/unreadable");
        _ = fs::set_permissions("/tmp/unreadable", Permissions::from_mode(0o111));
        words.insert(0, COPY.to_owned());
        // It starts a child, as the solutions do, and passes the status on.
        let status = Command::new("/tmp/unreadable").args(&words).status();
        std::process::exit(status.ok().and_then(|status| status.code()).unwrap_or(127));
    }
    _ = unshare(CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC);
    _ = sethostname(words.get(1).map_or("", |name| name));
    // SAFETY: the set is a plain value, and the calls read and write nothing but it and the signal.
    unsafe {
        let mut signals: libc::sigset_t = std::mem::zeroed();
        libc::sigaddset(&raw mut signals, 63);
        libc::sigaddset(&raw mut signals, 64);
        libc::sigprocmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut());
        libc::sigdelset(&raw mut signals, 63);
        let mut signal: libc::siginfo_t = std::mem::zeroed();
        libc::sigwaitinfo(&raw const signals, &raw mut signal);
        libc::_exit(signal.si_value().sival_ptr as i32);
    }
}
