//! Named: the tmpfs is unmounted while COMMAND runs
//! Points at: umount2(*
//! A program cleans up after itself. COMMAND has its mount already, or so it seems.

use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

const NONE: Option<&str> = None;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (dir, text) = (words[0].as_str(), &words[1]);
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE).unwrap();
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), NONE).unwrap();
    std::fs::write(format!("{dir}/token"), text).unwrap();
    let mut child = Command::new(&words[3]).args(&words[4..]).spawn().unwrap();
    umount2(dir, MntFlags::MNT_DETACH).unwrap();
    let status = child.wait().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
