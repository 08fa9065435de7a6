//! Named: the old root is covered instead of unmounted
//! Points at: mount(*MS_MOVE*
//! MS_MOVE and chroot, as switch_root(8) does when it leaves an initramfs, which is no root to pivot.

use std::path::Path;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, chroot};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (root, none) = (Path::new(&words[0]), None::<&str>);
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private");
    mount(Some(root), root, none, MsFlags::MS_BIND, none).expect("bind ROOT");
    mount(Some("/proc"), &root.join("proc"), none, MsFlags::MS_BIND, none).expect("bind /proc");
    let share = root.join("share");
    mount(Some(words[1].as_str()), &share, none, MsFlags::MS_BIND, none).expect("bind SHARE");
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let remount = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags;
    mount(none, &share, none, remount, none).expect("read-only");
    chdir(root).expect("chdir");
    mount(Some("."), "/", none, MsFlags::MS_MOVE, none).expect("move");
    chroot(".").expect("chroot");
    chdir("/").expect("chdir");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
