//! Named: another process was moved
//! The pid is asked for before the fork, so it is the parent's.

use std::fs;
use std::process::{Command, exit, id};

use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};

fn view() -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS)?;
    let none: Option<&str> = None;
    mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none)?;
    umount("/sys/fs/cgroup")?;
    mount(Some("cgroup2"), "/sys/fs/cgroup", Some("cgroup2"), MsFlags::empty(), none)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").unwrap();
    let name = words[..at].first();
    let pid = id();
    if let Some(name) = name {
        fs::create_dir(format!("/sys/fs/cgroup/{name}")).unwrap();
    }
    // SAFETY: there is one thread.
    let child = unsafe { libc::fork() };
    if child == 0 {
        if let Some(name) = name {
            fs::write(format!("/sys/fs/cgroup/{name}/cgroup.procs"), format!("{pid}\n")).unwrap();
        }
        view().unwrap();
        let status = Command::new(&words[at + 1]).args(&words[at + 2..]).status().unwrap();
        exit(status.code().unwrap_or(1));
    }
    let mut status = 0;
    // SAFETY: the pointer is valid.
    unsafe { libc::waitpid(child, &mut status, 0) };
    if let Some(name) = name {
        fs::remove_dir(format!("/sys/fs/cgroup/{name}")).unwrap();
    }
    exit(libc::WEXITSTATUS(status));
}
