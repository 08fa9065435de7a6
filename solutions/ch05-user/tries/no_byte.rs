//! Named: a read from a pipe that does not end
//! The child waits for a byte, and the parent waits for the child before it writes one.

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
        drop(writer);
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        let error = Command::new(&words[3]).args(&words[4..]).exec();
        eprintln!("{error}");
        exit(127);
    }
    let uid = nix::unistd::getuid();
    let gid = nix::unistd::getgid();
    std::fs::write(format!("/proc/{pid}/setgroups"), "deny").unwrap();
    std::fs::write(format!("/proc/{pid}/uid_map"), format!("{} {uid} 1", words[0])).unwrap();
    std::fs::write(format!("/proc/{pid}/gid_map"), format!("{} {gid} 1", words[1])).unwrap();
    let mut status = 0;
    // SAFETY: `status` lives long enough.
    unsafe { libc::waitpid(pid as i32, &mut status, 0) };
    writer.write_all(b"g").unwrap();
    exit(libc::WEXITSTATUS(status));
}
