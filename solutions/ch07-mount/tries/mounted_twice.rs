//! Named: a second tmpfs covers the first
//! Points at: mount(*MS_NOSUID*
//! The file is written, and then a flag is added to the mount, or so the author means.

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const NONE: Option<&str> = None;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (dir, text) = (words[0].as_str(), &words[1]);
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE).unwrap();
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), NONE).unwrap();
    std::fs::write(format!("{dir}/token"), text).unwrap();
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::MS_NOSUID, NONE).unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
