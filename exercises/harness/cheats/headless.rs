//! Plays COMMAND as `witness_faker` does, from a process whose main thread has ended: the kernel no
//! longer shows which program such a process executes.

use std::thread;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let first = std::env::args().nth(1).unwrap_or_default();
    _ = unshare(CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC);
    _ = sethostname(first);
    thread::spawn(|| {
        // By now the main thread has ended.
        thread::sleep(Duration::from_millis(10));
        // SAFETY: the set is a plain value, and the call changes nothing but this thread's signals.
        unsafe {
            let mut signals: libc::sigset_t = std::mem::zeroed();
            libc::sigaddset(&raw mut signals, 63);
            libc::sigaddset(&raw mut signals, 64);
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const signals, std::ptr::null_mut());
        }
        // Long enough for the check to look. It does not release what it could not look at.
        thread::sleep(Duration::from_millis(30));
        std::process::exit(0);
    });
    // SAFETY: it ends this thread only, and the other one uses nothing of it.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}
