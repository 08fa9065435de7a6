//! Plays COMMAND instead of starting it: it enters the right namespaces, where it can, takes COMMAND's
//! name and arguments, and waits for the signal for which the witness waits.

use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    if let Some(dashes) = words.iter().position(|word| word == "--") {
        let first = words.get(1).map_or("", |word| word);
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
        // The words that COMMAND would have.
        let command = words.get(dashes + 1).map_or("", |word| word);
        let arguments = words.get(dashes + 2..).unwrap_or_default();
        _ = Command::new("/proc/self/exe").arg0(command).args(arguments).exec();
    }
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
