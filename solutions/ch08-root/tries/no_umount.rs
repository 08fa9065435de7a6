//! Named: the old root is still attached
//! `pivot_root(".", ".")` is copied from the man page without the line after it.

use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn bind(from: &str, to: &str) {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    if let Err(error) = mount(Some(from), to, None::<&str>, flags, None::<&str>) {
        eprintln!("bind {from} on {to}: {error}");
        exit(1);
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (root, none) = (words[0].as_str(), None::<&str>);
    let share = format!("{root}/share");
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none).unwrap();
    bind(root, root);
    bind("/proc", &format!("{root}/proc"));
    bind(&words[1], &share);
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    let flags = read_only | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(none, share.as_str(), none, flags, none).unwrap();
    std::env::set_current_dir(root).unwrap();
    nix::unistd::pivot_root(".", ".").unwrap();
    std::env::set_current_dir("/").unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
