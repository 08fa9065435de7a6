//! Named: the signal is missing from the exit status
//! `code()` is `None` for a COMMAND that a signal has ended, and becomes 1.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    // SAFETY: the closure makes system calls only.
    unsafe {
        command.pre_exec(|| {
            unshare(CloneFlags::CLONE_NEWNS)?;
            let (slave, none) = (MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>);
            mount(none, "/", none, slave, none)?;
            mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none)?;
            Ok(())
        })
    };
    match command.status() {
        Ok(status) => exit(status.code().unwrap_or(1)),
        Err(error) => {
            eprintln!("{}: {error}", words[0]);
            exit(127)
        }
    }
}
