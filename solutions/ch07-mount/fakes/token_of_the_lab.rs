//! Refused by step 2: `token` is a file that the lab has as well, mounted on the one in the tmpfs.

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
    fs::write(dir.join("token"), "").expect("write");
    let token = Some("/dev/shm/token");
    mount(token, &dir.join("token"), NONE, MsFlags::MS_BIND, NONE).expect("bind");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
