//! Named: the child waits although your program has failed
//! The parent returns its error at once, and the child waits at a pipe that it holds open itself.

use std::io::{Read, Write, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (mut reader, mut writer) = pipe().unwrap();
    let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
    // SAFETY: without a stack the child runs on a copy of this one.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags as libc::c_long, 0, 0, 0, 0) };
    if pid == 0 {
        if reader.read(&mut [0]).unwrap() == 1 {
            eprintln!("{}", Command::new(&words[3]).args(&words[4..]).exec());
        }
        exit(127);
    }
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    std::fs::write(format!("/proc/{pid}/setgroups"), "deny").unwrap();
    std::fs::write(format!("/proc/{pid}/uid_map"), format!("{} {uid} 1", words[0])).unwrap();
    std::fs::write(format!("/proc/{pid}/gid_map"), format!("{} {gid} 1", words[1])).unwrap();
    writer.write_all(b"g").unwrap();
    let mut status = 0;
    // SAFETY: `status` lives long enough.
    unsafe { libc::waitpid(pid as i32, &mut status, 0) };
    exit(if libc::WIFSIGNALED(status) {
        128 + libc::WTERMSIG(status)
    } else {
        libc::WEXITSTATUS(status)
    });
}
