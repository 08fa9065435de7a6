//! COMMAND is PID 1 of a PID namespace of its own, with a fresh `/proc`.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, clone};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{chdir, pivot_root};

fn inside(words: &[String]) -> isize {
    let none = None::<&str>;
    let [root, share] = [&words[0], &words[1]].map(String::as_str);
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("private");
    mount(Some(root), root, none, MsFlags::MS_BIND, none).expect("bind ROOT");
    chdir(root).expect("chdir");
    // The old /proc is still visible; without one the kernel would refuse a new one.
    mount(Some("proc"), "proc", Some("proc"), MsFlags::empty(), none).expect("proc");
    mount(Some(share), "share", none, MsFlags::MS_BIND, none).expect("bind SHARE");
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    let kept = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(none, "share", none, read_only | kept, none).expect("read-only");
    pivot_root(".", ".").expect("pivot_root");
    umount2(".", MntFlags::MNT_DETACH).expect("umount2");
    chdir("/").expect("chdir");
    panic!("execve: {}", Command::new(&words[3]).args(&words[4..]).exec());
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut stack = vec![0; 256 * 1024];
    let child = Box::new(|| inside(&words));
    let flags = CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWPID;
    // SAFETY: this process has one thread, and the child has a copy of its memory.
    let child = unsafe { clone(child, &mut stack, flags, Some(libc::SIGCHLD)) };
    match waitpid(child.expect("clone"), None).expect("waitpid") {
        WaitStatus::Exited(_, code) => exit(code),
        _ => exit(1),
    }
}
