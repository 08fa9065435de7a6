//! Named: the parent has ended before COMMAND starts
//! The child is made and forgotten, and takes some time for what it has to do.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};
use std::thread::sleep;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::fork;

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let none: Option<&str> = None;
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS).unwrap();
    // SAFETY: there is one thread.
    if unsafe { fork() }.unwrap().is_parent() {
        return;
    }
    sleep(Duration::from_secs(5));
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none).unwrap();
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("{error}");
    exit(127)
}
