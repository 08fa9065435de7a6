//! Plays COMMAND as `witness_faker` does, from a process whose main thread has ended: the kernel no
//! longer shows which program such a process executes.

use std::os::fd::{FromRawFd as _, OwnedFd};
use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{sethostname, write};

fn main() {
    let first = std::env::args().nth(1).unwrap_or_default();
    _ = unshare(CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC);
    _ = sethostname(first);
    thread::spawn(|| {
        // By now the main thread has ended.
        thread::sleep(Duration::from_millis(10));
        // SAFETY: the sandbox has left this descriptor open for COMMAND.
        let witness = unsafe { OwnedFd::from_raw_fd(200) };
        _ = write(&witness, b"parked");
        // Long enough for the check to look. It does not release what it could not look at.
        thread::sleep(Duration::from_millis(30));
        std::process::exit(0);
    });
    // SAFETY: it ends this thread only, and the other one uses nothing of it.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}
