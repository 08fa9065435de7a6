//! Named: a path of pivot_root does not exist
//! Points at: pivot_root(*
//! put_old is passed, but nobody has made the directory.

use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

fn main() -> nix::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = words[0].as_str();
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some(root), root, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
    let put_old = format!("{root}/.pivot");
    pivot_root(root, put_old.as_str())?;
    chdir("/")?;
    umount2("/.pivot", MntFlags::MNT_DETACH)?;
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
