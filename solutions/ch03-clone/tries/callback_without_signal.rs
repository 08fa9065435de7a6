//! Named: the exit signal is not SIGCHLD
//! nix's clone is given no signal, and then waitpid(2) does not find the child.

use std::ffi::CString;

use nix::sched::{CloneFlags, clone};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{execvp, sethostname};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let argv: Vec<CString> = args[3..].iter().map(|a| CString::new(a.as_str()).unwrap()).collect();
    let mut stack = vec![0u8; 1024 * 1024];
    let body = || {
        if sethostname(&args[1]).is_err() {
            return 1;
        }
        let _ = execvp(&argv[0], &argv);
        127
    };
    let flags = CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    // SAFETY: the stack is large enough, and the callback does not unwind.
    let pid = unsafe { clone(Box::new(body), &mut stack, flags, None) }.expect("clone");
    match waitpid(pid, None).expect("waitpid") {
        WaitStatus::Exited(_, code) => std::process::exit(code),
        WaitStatus::Signaled(_, signal, _) => std::process::exit(128 + signal as i32),
        _ => std::process::exit(1),
    }
}
