//! Refused by step 4: 30 ms after the start DIR is empty for COMMAND as well.

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
    fs::write(dir.join("token"), &words[1]).expect("write");
    let mut child = Command::new(&words[3]).args(&words[4..]).spawn().expect("execve");
    std::thread::sleep(std::time::Duration::from_millis(30));
    nix::mount::umount2(dir, nix::mount::MntFlags::MNT_DETACH).expect("umount2");
    let status = child.wait().expect("waitpid");
    exit(status.code().unwrap_or(1));
}
