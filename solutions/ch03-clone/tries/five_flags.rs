//! Named: more than the two namespaces are new
//! All flags of an example for containers are taken over, with the PID and the mount namespace.

use std::ffi::CString;
use std::process::exit;

use nix::sched::{CloneFlags, clone};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{execvp, sethostname};

const STACK_SIZE: usize = 1024 * 1024;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut stack = vec![0u8; STACK_SIZE];
    let flags = CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWNET;
    let child = || -> isize {
        sethostname(&args[1]).expect("sethostname");
        let argv: Vec<CString> =
            args[3..].iter().map(|a| CString::new(a.as_str()).unwrap()).collect();
        match execvp(&argv[0], &argv) {
            Ok(_) => unreachable!(),
            Err(_) => 127,
        }
    };
    // SAFETY: the stack is large enough.
    let pid = unsafe { clone(Box::new(child), &mut stack, flags, Some(Signal::SIGCHLD as i32)) };
    match waitpid(pid.expect("clone"), None).expect("waitpid") {
        WaitStatus::Exited(_, code) => exit(code),
        WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
        _ => exit(1),
    }
}
