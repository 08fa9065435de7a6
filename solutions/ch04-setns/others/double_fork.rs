//! A grandchild joins, with a pidfd and all three flags, and its status is passed on twice.

use std::fs::File;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == "pin" {
        return pin(&words[1], &words[2]);
    }
    for _ in 0..2 {
        // SAFETY: this process has one thread.
        let child = unsafe { libc::fork() };
        if child > 0 {
            let mut status = 0;
            // SAFETY: waitpid writes one int.
            unsafe { libc::waitpid(child, &raw mut status, 0) };
            exit(libc::WEXITSTATUS(status));
        }
    }
    let pid: i32 = words[0].parse().expect("a pid");
    // SAFETY: pidfd_open takes two integers, and nothing else owns the new descriptor.
    let pidfd = unsafe {
        let pidfd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        assert!(pidfd >= 0, "pidfd_open: {}", std::io::Error::last_os_error());
        OwnedFd::from_raw_fd(pidfd as i32)
    };
    let kinds = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWIPC | CloneFlags::CLONE_NEWUTS;
    setns(pidfd, kinds).expect("setns");
    panic!("execve: {}", Command::new(&words[2]).args(&words[3..]).exec());
}

fn pin(pid: &str, path: &str) {
    let (namespace, none) = (format!("/proc/{pid}/ns/uts"), None::<&str>);
    File::create(path).expect("creat");
    mount(Some(&*namespace), path, none, MsFlags::MS_BIND, none).expect("mount");
}
