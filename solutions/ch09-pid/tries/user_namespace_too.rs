//! Named: a namespace that the step does not ask for
//! A page about rootless containers has CLONE_NEWUSER in its flags, and so has this program.

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let flags = CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWPID;
    unshare(flags).expect("unshare");
    // SAFETY: there is one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
            let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
            mount(None::<&str>, "/", None::<&str>, private, None::<&str>).expect("mount /");
            let none = MsFlags::empty();
            mount(Some("proc"), "/proc", Some("proc"), none, None::<&str>).expect("mount /proc");
            let error = Command::new(&words[0]).args(&words[1..]).exec();
            eprintln!("{}: {error}", words[0]);
            std::process::exit(127);
        }
        ForkResult::Parent { child } => match waitpid(child, None).expect("waitpid") {
            WaitStatus::Exited(_, code) => std::process::exit(code),
            WaitStatus::Signaled(_, signal, _) => std::process::exit(128 + signal as i32),
            _ => std::process::exit(1),
        },
    }
}
