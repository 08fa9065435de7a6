//! Named: chroot instead of pivot_root
//! Points at: chroot(*
//! The mounts are made as asked, and the root directory is changed with chroot(2).

use std::path::Path;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, chroot};

const NONE: Option<&str> = None;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(&words[0]);
    let share = root.join("share");
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    mount(Some("/proc"), &root.join("proc"), NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
    mount(Some(words[1].as_str()), &share, NONE, MsFlags::MS_BIND, NONE)?;
    let flags = MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    mount(NONE, &share, NONE, flags | MsFlags::MS_NOSUID | MsFlags::MS_NODEV, NONE)?;
    chroot(root)?;
    chdir("/")?;
    let status = Command::new(&words[3]).args(&words[4..]).status()?;
    std::process::exit(status.code().unwrap_or(1));
}
