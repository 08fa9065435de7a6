//! Named: /proc is mounted from outside
//! Points at: mount("proc"
//! Both namespaces are made and the mount is made before fork(), which is the parent's work.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() -> nix::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let command = &args[2];
    const NONE: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_PRIVATE | MsFlags::MS_REC, NONE)?;
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), NONE)?;
    // SAFETY: there is one thread.
    match unsafe { fork()? } {
        ForkResult::Child => {
            _ = Command::new(command).args(&args[3..]).exec();
            exit(127)
        }
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, code) => exit(code),
            _ => exit(1),
        },
    }
}
