//! Named: the pidfd is made later
//! The call that makes the child gives a pid, and the pidfd is opened for that.

use std::ffi::CString;
use std::process::exit;

use nix::sched::{CloneFlags, clone};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{execvp, sethostname};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let argv: Vec<CString> = args[3..].iter().map(|a| CString::new(a.as_str()).unwrap()).collect();
    let mut stack = vec![0; 256 << 10];
    let body = Box::new(|| {
        if sethostname(&args[1]).is_err() {
            return 1;
        }
        let _ = execvp(&argv[0], &argv);
        127
    });
    let flags = CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    // SAFETY: the stack is large enough, and the callback does not unwind.
    let pid = unsafe { clone(body, &mut stack, flags, Some(libc::SIGCHLD)) }.expect("clone");
    // SAFETY: takes two integers.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    assert!(pidfd >= 0);
    match waitpid(pid, None).expect("waitpid") {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
