//! Plays COMMAND instead of starting it: it enters the right namespaces, where it can, and sends what
//! the witness would send on the witness's socket.

use std::os::fd::{FromRawFd as _, OwnedFd};

use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::{read, sethostname, write};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let first = words.first().map_or("", |word| word);
    match first.parse::<i32>() {
        Ok(pid) => {
            // SAFETY: takes two integers, and returns a new descriptor or -1.
            let target = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) } as i32;
            if target >= 0 {
                // SAFETY: the descriptor is new, so nothing else closes it.
                let target = unsafe { OwnedFd::from_raw_fd(target) };
                let kinds = CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
                _ = setns(target, kinds | CloneFlags::CLONE_NEWNET);
            }
        }
        Err(_) => {
            _ = unshare(CloneFlags::CLONE_NEWUTS);
            _ = sethostname(first);
        }
    }
    // SAFETY: the sandbox has left this descriptor open for COMMAND.
    let witness = unsafe { OwnedFd::from_raw_fd(200) };
    let mut status = [0];
    _ = write(&witness, b"parked");
    _ = read(&witness, &mut status);
    std::process::exit(status[0].into());
}
