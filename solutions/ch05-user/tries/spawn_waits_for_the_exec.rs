//! Named: your program and its child wait for each other
//! The child waits in `pre_exec` for a byte, which the parent is to write when `spawn` has returned.

use std::io::{Read, Write, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (mut reader, mut writer) = pipe().unwrap();
    let mut command = Command::new(&words[3]);
    command.args(&words[4..]);
    // SAFETY: this process has one thread.
    unsafe {
        command.pre_exec(move || {
            unshare(CloneFlags::CLONE_NEWUSER)?;
            reader.read_exact(&mut [0])
        });
    }
    let mut child = command.spawn().unwrap();
    let pid = child.id();
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    std::fs::write(format!("/proc/{pid}/setgroups"), "deny").unwrap();
    std::fs::write(format!("/proc/{pid}/uid_map"), format!("{} {uid} 1", words[0])).unwrap();
    std::fs::write(format!("/proc/{pid}/gid_map"), format!("{} {gid} 1", words[1])).unwrap();
    writer.write_all(b"g").unwrap();
    exit(child.wait().unwrap().code().unwrap_or(1));
}
