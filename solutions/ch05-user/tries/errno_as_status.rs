//! Named: a child whose exec failed does not end with 127
//! Points at: execve(
//! The child ends with the errno of the exec.

use std::fs::write;
use std::io::{Read, Write, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getgid, getuid};

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (getuid(), getgid());
    let (mut reader, mut writer) = pipe()?;
    let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
    // SAFETY: without a stack the child runs on a copy of this one.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags as libc::c_long, 0, 0, 0, 0) };
    if pid == 0 {
        drop(writer);
        if reader.read_exact(&mut [0]).is_err() {
            exit(1);
        }
        let error = Command::new(&words[3]).args(&words[4..]).exec();
        exit(error.raw_os_error().unwrap_or(1));
    }
    let mapped = write(format!("/proc/{pid}/setgroups"), "deny")
        .and_then(|()| write(format!("/proc/{pid}/uid_map"), format!("{} {uid} 1", words[0])))
        .and_then(|()| write(format!("/proc/{pid}/gid_map"), format!("{} {gid} 1", words[1])));
    if mapped.is_ok() {
        writer.write_all(b"x")?;
    }
    drop(writer);
    let end = waitpid(Pid::from_raw(pid as i32), None)?;
    mapped?;
    exit(match end {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    })
}
