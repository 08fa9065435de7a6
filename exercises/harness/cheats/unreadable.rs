//! Plays COMMAND as `witness_faker` does, from a copy of itself that may be executed but not read, so a
//! check without the machine's root cannot compare it with COMMAND.

use std::fs::{self, Permissions};
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{read, sethostname, write};

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
    // SAFETY: the sandbox has left this descriptor open for COMMAND.
    let witness = unsafe { OwnedFd::from_raw_fd(200) };
    let mut status = [0];
    _ = write(&witness, b"parked");
    _ = read(&witness, &mut status);
    std::process::exit(status[0].into());
}
