//! Named: private mounts receive nothing
//! MS_PRIVATE, as unshare(1) does it by default.

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn private() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(Some("none"), "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    private().expect("private");
    let dir = words[0].as_str();
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), Some("mode=755")).expect("tmpfs");
    std::fs::write(format!("{dir}/token"), words[1].as_bytes()).expect("token");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
