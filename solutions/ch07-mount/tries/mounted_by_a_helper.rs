//! Named: another process made the call
//! Points at: mount(*tmpfs*
//! A helper prepares the mount in a namespace of its own. COMMAND gets a copy of the lab's.

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const NONE: Option<&str> = None;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (dir, text) = (words[0].clone(), words[1].clone());
    let prepare = move || {
        unshare(CloneFlags::CLONE_NEWNS)?;
        mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE)?;
        mount(Some("tmpfs"), dir.as_str(), Some("tmpfs"), MsFlags::empty(), NONE)?;
        std::fs::write(format!("{dir}/token"), &text)
    };
    let mut helper = Command::new("true");
    // SAFETY: there is one thread.
    unsafe { helper.pre_exec(prepare) };
    helper.status().unwrap();
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
