//! Named: it never ends
//! The child waits for any signal, and nothing sends one.

use std::fs::write;
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getgid, getuid, pause};

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (getuid(), getgid());
    let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
    // SAFETY: without a stack the child runs on a copy of this one.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags as libc::c_long, 0, 0, 0, 0) };
    if pid == 0 {
        pause();
        let error = Command::new(&words[3]).args(&words[4..]).exec();
        eprintln!("{error}");
        exit(127);
    }
    write(format!("/proc/{pid}/setgroups"), "deny")?;
    write(format!("/proc/{pid}/uid_map"), format!("{} {uid} 1", words[0]))?;
    write(format!("/proc/{pid}/gid_map"), format!("{} {gid} 1", words[1]))?;
    exit(match waitpid(Pid::from_raw(pid as i32), None)? {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    })
}
