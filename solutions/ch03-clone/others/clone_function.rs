//! Calls the C library's clone(): the child runs a function, on a stack that the parent provides.

use std::ffi::{c_int, c_void};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

extern "C" fn child(words: *mut c_void) -> c_int {
    // SAFETY: `main` passes its words, of which the child has a copy.
    let words = unsafe { &*words.cast::<Vec<String>>() };
    if nix::unistd::sethostname(&words[0]).is_err() {
        return 1;
    }
    let error = Command::new(&words[2]).args(&words[3..]).exec();
    eprintln!("execve: {error}");
    127
}

fn main() {
    let mut words: Vec<String> = std::env::args().skip(1).collect();
    let mut stack = vec![0_u128; 16 * 1024];
    let mut pidfd: c_int = -1;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: this process has one thread, and the child has a copy of its memory, so it is free to
    // allocate. The stack grows downwards and is large enough for an exec.
    let pid = unsafe {
        let top = stack.as_mut_ptr_range().end.cast();
        libc::clone(child, top, flags, (&raw mut words).cast(), &raw mut pidfd)
    };
    assert!(pid > 0 && pidfd >= 0, "clone: {}", std::io::Error::last_os_error());
    exit(match waitpid(Pid::from_raw(pid), None).expect("waitpid") {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    });
}
