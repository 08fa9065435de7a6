//! Named: a child was killed before COMMAND
//! The callback unwraps the result of a conversion that cannot succeed, and a panic may not leave it.

use std::ffi::CString;
use std::process::exit;

use nix::sched::{CloneFlags, clone};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{execvp, sethostname};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut stack = vec![0u8; 1 << 20];
    let flags = CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    let body = Box::new(|| {
        sethostname(&args[1]).unwrap();
        let argv: Vec<CString> =
            args[3..].iter().map(|word| CString::new(format!("{word}\0")).unwrap()).collect();
        execvp(&argv[0], &argv).map_or(127, |_| 0)
    });
    // SAFETY: the stack is large enough.
    let pid = unsafe { clone(body, &mut stack, flags, Some(libc::SIGCHLD)) }.unwrap();
    match waitpid(pid, None).unwrap() {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
