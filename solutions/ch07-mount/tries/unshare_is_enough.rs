//! Named: the mounts are still shared
//! A new mount namespace is expected to keep a mount to itself.

use std::path::Path;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    let dir = Path::new(&words[0]);
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), None::<&str>).expect("mount");
    std::fs::write(dir.join("token"), &words[1]).expect("token");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
