//! Named: nothing
//! Points at: pivot_root(
//! The working directory is still `/tmp`, whose mount is locked, so `.` is not ROOT.

use std::process::{Command, exit};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::pivot_root;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (root, none) = (args[1].as_str(), None::<&str>);
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    mount(Some(root), root, none, bind, none).unwrap();
    mount(Some("/proc"), format!("{root}/proc").as_str(), none, bind, none).unwrap();
    pivot_root(".", ".").unwrap();
    umount2(".", MntFlags::MNT_DETACH).unwrap();
    std::env::set_current_dir("/").unwrap();
    let status = Command::new(&args[4]).args(&args[5..]).status().unwrap();
    exit(status.code().unwrap_or(1))
}
