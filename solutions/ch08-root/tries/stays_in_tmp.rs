//! Named: the working directory is left behind
//! Absolute paths everywhere, and no chdir(2): "the kernel moves me along".

use std::path::Path;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::pivot_root;

const NONE: Option<&str> = None;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(&words[0]);
    let (share, old) = (root.join("share"), root.join("old"));
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_PRIVATE, NONE)?;
    mount(Some(root), root, NONE, bind, NONE)?;
    mount(Some("/proc"), &root.join("proc"), NONE, bind, NONE)?;
    mount(Some(Path::new(&words[1])), &share, NONE, bind, NONE)?;
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    mount(NONE, &share, NONE, read_only | MsFlags::MS_NOSUID | MsFlags::MS_NODEV, NONE)?;
    std::fs::create_dir_all(&old)?;
    pivot_root(root, &old)?;
    umount2("/old", MntFlags::MNT_DETACH)?;
    std::fs::remove_dir("/old")?;
    let status = Command::new(&words[3]).args(&words[4..]).status()?;
    std::process::exit(status.code().unwrap_or(1));
}
