//! Named: the exit signal is not SIGCHLD
//! clone(2) makes the child, and is given no signal for its end.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, clone};
use nix::sys::wait::{WaitStatus, waitpid};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let mut stack = vec![0; 1 << 20];
    let child = Box::new(|| {
        let private = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
        if mount(None::<&str>, "/", None::<&str>, private, None::<&str>).is_err() {
            return 2;
        }
        let none = MsFlags::empty();
        if mount(Some("proc"), "/proc", Some("proc"), none, None::<&str>).is_err() {
            return 3;
        }
        let error = Command::new(&words[0]).args(&words[1..]).exec();
        eprintln!("exec: {error}");
        127
    });
    let flags = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS;
    // SAFETY: the child has memory of its own.
    let pid = unsafe { clone(child, &mut stack, flags, None) }.unwrap();
    // Until COMMAND is there.
    std::thread::sleep(std::time::Duration::from_millis(300));
    match waitpid(pid, None).unwrap() {
        WaitStatus::Exited(_, code) => exit(code),
        other => panic!("{other:?}"),
    }
}
