//! Named: a file is written, but nothing is mounted
//! A new mount namespace is expected to have files of its own.

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).expect("slave");
    std::fs::create_dir_all(&words[0]).expect("mkdir");
    std::fs::write(format!("{}/token", words[0]), &words[1]).expect("token");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
