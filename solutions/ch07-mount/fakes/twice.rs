//! Refused by step 4: COMMAND runs a second time, in the lab.

use std::fs;
use std::path::Path;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const NONE: Option<&str> = None;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dir = Path::new(&words[0]);
    let lab = fs::File::open("/proc/self/ns/mnt").expect("open");
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE).expect("slave");
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), NONE).expect("tmpfs");
    fs::write(dir.join("token"), &words[1]).expect("write");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    nix::sched::setns(lab, CloneFlags::CLONE_NEWNS).expect("setns");
    _ = Command::new(&words[3]).args(&words[4..]).status();
    exit(status.code().unwrap_or(1));
}
