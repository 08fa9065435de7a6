//! Named: the calls are in another order
//! Points at: mount(*tmpfs*
//! COMMAND is started first, because from then on its namespace is there.

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const NONE: Option<&str> = None;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (dir, text) = (words[0].as_str(), &words[1]);
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let mut child = Command::new(&words[3]).args(&words[4..]).spawn().unwrap();
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE).unwrap();
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), NONE).unwrap();
    std::fs::write(format!("{dir}/token"), text).unwrap();
    let status = child.wait().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
