//! Named: no PID namespace is made
//! The two TODOs about mounts are done, the first one is not.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn mount_proc() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    let flags = MsFlags::MS_PRIVATE.union(MsFlags::MS_REC);
    mount::<str, str, str, str>(None, "/", None, flags, None)?;
    mount::<str, str, str, str>(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), None)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    // SAFETY: there is one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            if let Err(errno) = mount_proc() {
                eprintln!("mount_proc: {errno}");
                exit(1);
            }
            let error = Command::new(&words[0]).args(&words[1..]).exec();
            eprintln!("{}: {error}", words[0]);
            exit(127);
        }
        ForkResult::Parent { child } => match waitpid(child, None).unwrap() {
            WaitStatus::Exited(_, code) => exit(code),
            WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
            _ => exit(1),
        },
    }
}
