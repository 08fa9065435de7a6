//! Named: a thread after unshare(CLONE_NEWPID)
//! A thread is to wait for the child, and is started when the namespace is there.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};
use std::thread;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    let waiter = thread::spawn(move || {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        // SAFETY: the closure makes system calls only.
        unsafe {
            command.pre_exec(|| {
                let none = None::<&str>;
                let private = nix::mount::MsFlags::MS_REC | nix::mount::MsFlags::MS_PRIVATE;
                let empty = nix::mount::MsFlags::empty();
                unshare(CloneFlags::CLONE_NEWNS)?;
                nix::mount::mount(none, "/", none, private, none)?;
                nix::mount::mount(Some("proc"), "/proc", Some("proc"), empty, none)?;
                Ok(())
            })
        };
        command.status().map_or(127, |status| status.code().unwrap_or(1))
    });
    exit(waiter.join().unwrap());
}
