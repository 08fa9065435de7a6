//! Named: a bind mount instead of a tmpfs
//! Points at: mount(*MS_BIND*
//! The file is written in /tmp, which is a tmpfs, after all.

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const NONE: Option<&str> = None;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (dir, text) = (words[0].as_str(), &words[1]);
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE).unwrap();
    std::fs::create_dir_all("/tmp/mine").unwrap();
    std::fs::write("/tmp/mine/token", text).unwrap();
    mount(Some("/tmp/mine"), dir, NONE, MsFlags::MS_BIND, NONE).unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
