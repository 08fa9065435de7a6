//! Named: the tmpfs is mounted too early
//! The mount is made first, and the namespace is left afterwards.

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let none = None::<&str>;
    let dir = words[0].as_str();
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::MS_NOSUID, none).expect("mount");
    std::fs::write(format!("{dir}/token"), &words[1]).expect("token");
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_SLAVE | MsFlags::MS_REC, none).expect("slave");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
