//! Named: unbindable mounts receive nothing
//! Points at: mount(*MS_UNBINDABLE*
//! The strictest of the four kinds must be the safest.

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const NONE: Option<&str> = None;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (dir, text) = (words[0].as_str(), &words[1]);
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_UNBINDABLE, NONE).unwrap();
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), NONE).unwrap();
    std::fs::write(format!("{dir}/token"), text).unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
