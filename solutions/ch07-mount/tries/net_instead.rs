//! Named: COMMAND is still in the lab's mount namespace
//! CLONE_NEWNET is taken for the flag of mounts, because NEWNS does not say so.

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() -> nix::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWNET)?;
    let none = None::<&str>;
    mount(Some("tmpfs"), words[0].as_str(), Some("tmpfs"), MsFlags::empty(), none)?;
    std::fs::write(format!("{}/token", words[0]), &words[1]).expect("token");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
