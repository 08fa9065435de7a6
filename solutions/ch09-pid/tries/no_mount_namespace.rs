//! Named: /proc was mounted over the lab's
//! Points at: mount("proc"
//! The child mounts /proc, but nothing was said about mount namespaces.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<_> = std::env::args_os().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: there is one thread.
    let pid = match unsafe { fork() } {
        Ok(ForkResult::Parent { child }) => child,
        Ok(ForkResult::Child) => {
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
            mount(Some("proc"), "/proc", Some("proc"), flags, None::<&str>).expect("mount");
            let error = Command::new(&words[0]).args(&words[1..]).exec();
            eprintln!("{error}");
            exit(127)
        }
        Err(errno) => panic!("fork: {errno}"),
    };
    match waitpid(pid, None) {
        Ok(WaitStatus::Exited(_, code)) => exit(code),
        Ok(WaitStatus::Signaled(_, signal, _)) => exit(128 + signal as i32),
        other => panic!("{other:?}"),
    }
}
