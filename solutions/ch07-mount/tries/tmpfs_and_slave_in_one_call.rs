//! Named: mounted and made a slave in one call
//! Points at: mount(*
//! One call is to mount the tmpfs and to keep it from the lab. With MS_SLAVE it mounts nothing.

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(
        Some("tmpfs"),
        words[0].as_str(),
        Some("tmpfs"),
        MsFlags::MS_SLAVE | MsFlags::MS_REC,
        Some("size=1m"),
    )
    .expect("mount");
    std::fs::write(format!("{}/token", words[0]), &words[1]).expect("write");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
