//! Refused by step 2: `token` is a symbolic link to a file that the lab has as well.

use std::fs;
use std::path::Path;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const NONE: Option<&str> = None;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dir = Path::new(&words[0]);
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE).expect("slave");
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), NONE).expect("tmpfs");
    fs::write("/dev/shm/token", &words[1]).expect("write");
    std::os::unix::fs::symlink("/dev/shm/token", dir.join("token")).expect("symlink");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
