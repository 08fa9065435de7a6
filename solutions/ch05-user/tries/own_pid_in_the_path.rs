//! Named: the maps of another process
//! Points at: write(uid_map*
//! The parent builds the path from its own pid, where the child's is needed.

use std::io::{Read, Write, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit, id};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    let (mut reader, mut writer) = pipe().unwrap();
    let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
    // SAFETY: without a stack the child runs on a copy of this one.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags as libc::c_long, 0, 0, 0, 0) };
    if pid == 0 {
        drop(writer);
        let mut byte = [0];
        if reader.read_exact(&mut byte).is_err() {
            exit(1);
        }
        let error = Command::new(&words[3]).args(&words[4..]).exec();
        eprintln!("{error}");
        exit(127);
    }
    let write = |file: &str, text: String| std::fs::write(format!("/proc/{}/{file}", id()), text);
    write("setgroups", "deny".into()).unwrap();
    write("uid_map", format!("{} {uid} 1", words[0])).unwrap();
    write("gid_map", format!("{} {gid} 1", words[1])).unwrap();
    writer.write_all(b"x").unwrap();
    let mut status = 0;
    // SAFETY: `status` lives long enough.
    unsafe { libc::waitpid(pid as i32, &mut status, 0) };
    exit(libc::WEXITSTATUS(status));
}
