//! Refused by step 2: a helper mounts while COMMAND is started, so either may be first.

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
    // SAFETY: the child only uses what it has copied, and never returns.
    let helper = unsafe { libc::fork() };
    if helper == 0 {
        mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), NONE).expect("tmpfs");
        fs::write(dir.join("token"), &words[1]).expect("write");
        exit(0);
    }
    let mut child = Command::new(&words[3]).args(&words[4..]).spawn().expect("execve");
    let status = child.wait().expect("waitpid");
    // SAFETY: takes an integer and a pointer that may be null.
    unsafe { libc::waitpid(helper, std::ptr::null_mut(), 0) };
    exit(status.code().unwrap_or(1));
}
