//! Named: COMMAND does not come from the new child
//! One child is made with the flags and ends, and another one, without them, runs COMMAND.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, clone};
use nix::sys::wait::waitpid;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut stack = vec![0u8; 1 << 20];
    let name = args[1].clone();
    let flags = CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    let body = Box::new(|| nix::unistd::sethostname(&name).map_or(1, |()| 0));
    // SAFETY: the stack is large enough, and the callback does not unwind.
    let pid = unsafe { clone(body, &mut stack, flags, Some(libc::SIGCHLD)) }.unwrap();
    waitpid(pid, None).unwrap();
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}
