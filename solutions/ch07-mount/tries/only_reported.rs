//! Named: an error was ignored
//! Points at: mount(*"tmpfs"*
//! Each error is printed, and the program goes on to COMMAND.

use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let none = None::<&str>;
    if let Err(errno) = unshare(CloneFlags::CLONE_NEWNS) {
        eprintln!("unshare: {errno}");
    }
    if let Err(errno) = mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none) {
        eprintln!("slave: {errno}");
    }
    let dir = words[0].as_str();
    if let Err(errno) = mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), none) {
        eprintln!("tmpfs: {errno}");
    }
    if let Err(error) = std::fs::write(format!("{dir}/token"), &words[1]) {
        eprintln!("token: {error}");
    }
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
