//! Named: read-only in one call
//! Points at: mount(*MS_RDONLY*
//! MS_RDONLY stands beside MS_BIND, where the kernel ignores it.

use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

fn bind(source: &str, target: &str, more: MsFlags) {
    mount(Some(source), target, None::<&str>, MsFlags::MS_BIND | more, None::<&str>)
        .unwrap_or_else(|error| panic!("{target}: {error}"));
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = &words[0];
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_PRIVATE, None::<&str>)
        .unwrap();
    bind(root, root, MsFlags::MS_REC);
    bind("/proc", &format!("{root}/proc"), MsFlags::MS_REC);
    bind(&words[1], &format!("{root}/share"), MsFlags::MS_RDONLY);
    chdir(root.as_str()).unwrap();
    pivot_root(".", ".").unwrap();
    umount2(".", MntFlags::MNT_DETACH).unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
