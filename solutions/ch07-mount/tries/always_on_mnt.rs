//! Named: the tmpfs is on another directory
//! Points at: mount(*
//! The directory of the example is in the program, and the argument DIR is not used.

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>)
        .unwrap();
    mount(Some("tmpfs"), "/mnt", Some("tmpfs"), MsFlags::empty(), None::<&str>).unwrap();
    std::fs::write("/mnt/token", &words[1]).unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
