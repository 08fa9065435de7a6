//! Clones a child into the new namespace. There the mounts become slaves and then shared again: peer
//! groups of their own, which still receive from the lab's, for namespaces made from this one.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, clone};
use nix::sys::wait::{WaitStatus, waitpid};

fn inside(words: &[String]) -> isize {
    let none = None::<&str>;
    for kind in [MsFlags::MS_SLAVE, MsFlags::MS_SHARED] {
        mount(none, "/", none, MsFlags::MS_REC | kind, none).expect("mount /");
    }
    let tmpfs = Some("tmpfs");
    mount(tmpfs, words[0].as_str(), tmpfs, MsFlags::empty(), none).expect("mount DIR");
    std::fs::write(format!("{}/token", words[0]), &words[1]).expect("write");
    panic!("execve: {}", Command::new(&words[3]).args(&words[4..]).exec());
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut stack = vec![0; 256 * 1024];
    let child = Box::new(|| inside(&words));
    // SAFETY: this process has one thread, and the child has a copy of its memory.
    let child = unsafe { clone(child, &mut stack, CloneFlags::CLONE_NEWNS, Some(libc::SIGCHLD)) };
    match waitpid(child.expect("clone"), None).expect("waitpid") {
        WaitStatus::Exited(_, code) => exit(code),
        _ => exit(1),
    }
}
