//! Named: the new namespace still has the old name
//! clone(2) makes the namespace with the child, and the name is forgotten.

use std::ffi::CString;
use std::process::exit;

use nix::sched::{CloneFlags, clone};
use nix::sys::wait::{WaitStatus, waitpid};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let argv: Vec<CString> = args[3..].iter().map(|a| CString::new(a.as_str()).unwrap()).collect();
    let mut stack = vec![0u8; 1 << 20];
    let body = Box::new(|| nix::unistd::execvp(&argv[0], &argv).map_or(127, |_| 0));
    // SAFETY: the stack is large enough, and the callback does not unwind.
    let child = unsafe { clone(body, &mut stack, CloneFlags::CLONE_NEWUTS, Some(libc::SIGCHLD)) };
    match waitpid(child.unwrap(), None).unwrap() {
        WaitStatus::Exited(_, code) => exit(code),
        _ => exit(1),
    }
}
