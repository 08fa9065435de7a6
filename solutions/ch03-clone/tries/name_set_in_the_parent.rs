//! Named: the parent sets the name
//! After clone(2) the parent sets the name, before it waits. It is still in the lab's namespace.

use std::ffi::CString;

use nix::sched::{CloneFlags, clone};
use nix::sys::signal::Signal;
use nix::sys::wait::{WaitStatus, waitpid};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let argv: Vec<CString> = args[3..].iter().map(|a| CString::new(a.as_str()).unwrap()).collect();
    let mut stack = [0u8; 64 * 1024];
    let flags = CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    let body = Box::new(|| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        let _ = nix::unistd::execvp(&argv[0], &argv);
        127
    });
    // SAFETY: the callback only executes COMMAND.
    let child = unsafe { clone(body, &mut stack, flags, Some(Signal::SIGCHLD as i32)) }?;
    nix::unistd::sethostname(&args[1])?;
    match waitpid(child, None)? {
        WaitStatus::Exited(_, code) => std::process::exit(code),
        WaitStatus::Signaled(_, signal, _) => std::process::exit(128 + signal as i32),
        _ => unreachable!(),
    }
}
