//! Named: COMMAND is outside the PID namespace
//! Points at: unshare(
//! The process that calls unshare(2) becomes COMMAND, and so it stays outside of the PID namespace.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, getegid, geteuid, pivot_root};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").expect("usage");
    let (uid, gid) = (geteuid(), getegid());
    let kinds = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWCGROUP
        | CloneFlags::from_bits_retain(libc::CLONE_NEWTIME);
    unshare(kinds)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))?;
    enter(&words[at - 1])?;
    Err(Command::new(&words[at + 1]).args(&words[at + 2..]).exec())
}

/// A root directory of its own.
fn enter(root: &str) -> nix::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some(root), root, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
    chdir(root)?;
    // A new proc is refused here.
    mount(Some("/proc"), "proc", none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    mount(none, ".", none, read_only | MsFlags::MS_NOSUID | MsFlags::MS_NODEV, none)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")
}
