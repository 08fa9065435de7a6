//! Named: a child whose exec failed does not end with 127
//! After a failed exec the child ends with 0, as if all were well.

use std::ffi::CString;
use std::process::exit;

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, execvp, sethostname};

fn child(name: &str, command: &[CString]) {
    sethostname(name).unwrap();
    if let Err(errno) = execvp(&command[0], command) {
        eprintln!("exec: {errno}");
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let command: Vec<CString> =
        args[3..].iter().map(|a| CString::new(a.as_str()).unwrap()).collect();
    let mut pidfd: i32 = -1;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: without a stack and with one thread this is a fork.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0) };
    match pid {
        0 => child(&args[1], &command),
        _ => match waitpid(Pid::from_raw(pid as i32), None).unwrap() {
            WaitStatus::Exited(_, code) => exit(code),
            WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
            _ => exit(1),
        },
    }
}
