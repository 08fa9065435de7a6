//! Named: a child was killed before COMMAND
//! The stack has a few bytes only, so the child dies of the first function that it calls.

use std::ffi::CString;
use std::process::exit;

use nix::sched::{CloneFlags, clone};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{execvp, sethostname};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let argv: Vec<CString> = args[3..].iter().map(|a| CString::new(a.as_str()).unwrap()).collect();
    let mut stack = [0u8; 64];
    let flags = CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    let body = || {
        let host = args[1].repeat(1);
        sethostname(host).unwrap();
        execvp(&argv[0], &argv).map_or(127, |_| 0)
    };
    // SAFETY: none, because the stack is too small.
    let pid = unsafe { clone(Box::new(body), &mut stack, flags, Some(libc::SIGCHLD)) }.unwrap();
    match waitpid(pid, None) {
        Ok(WaitStatus::Exited(_, code)) => exit(code),
        Ok(WaitStatus::Signaled(_, signal, _)) => exit(128 + signal as i32),
        other => panic!("{other:?}"),
    }
}
