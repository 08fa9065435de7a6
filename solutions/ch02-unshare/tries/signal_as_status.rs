//! Named: COMMAND's exit status is lost
//! The raw status of wait(2) is used as an exit status, so its low eight bits are all that is left.

use std::ffi::CString;
use std::process::exit;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{ForkResult, execvp, fork, sethostname};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWUTS).unwrap();
    sethostname(&args[1]).unwrap();
    // SAFETY: there is one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let argv: Vec<_> =
                args[3..].iter().map(|a| CString::new(a.as_str()).unwrap()).collect();
            let _ = execvp(&argv[0], &argv);
            exit(127)
        }
        ForkResult::Parent { child } => {
            let mut status = 0;
            // SAFETY: the pointer is valid.
            unsafe { libc::waitpid(child.as_raw(), &mut status, 0) };
            exit(status)
        }
    }
}
