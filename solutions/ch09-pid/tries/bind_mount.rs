//! Named: /proc is the old one once more
//! The new /proc is a bind mount, as for every other directory of a container.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() -> nix::Result<()> {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS)?;
    // SAFETY: there is one thread.
    match unsafe { fork()? } {
        ForkResult::Child => {
            mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none)?;
            mount(Some("/proc"), "/proc", none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
            let error = Command::new(&words[0]).args(&words[1..]).exec();
            eprintln!("{error}");
            exit(127)
        }
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, code) => exit(code),
            WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
            _ => exit(1),
        },
    }
}
