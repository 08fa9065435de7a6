//! Named: the child waits for what never comes
//! An eventfd has one end, so the end of the parent is none of it.

use std::fs::write;
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getgid, getuid};

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (getuid(), getgid());
    // SAFETY: takes two integers.
    let ready = unsafe { libc::eventfd(0, 0) };
    let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
    // SAFETY: without a stack the child runs on a copy of this one.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags as libc::c_long, 0, 0, 0, 0) };
    if pid == 0 {
        let mut count = 0u64;
        // SAFETY: the kernel writes eight bytes.
        unsafe { libc::read(ready, (&raw mut count).cast(), 8) };
        let error = Command::new(&words[3]).args(&words[4..]).exec();
        eprintln!("{error}");
        exit(127);
    }
    write(format!("/proc/{pid}/setgroups"), "deny")?;
    write(format!("/proc/{pid}/uid_map"), format!("{} {uid} 1", words[0]))?;
    write(format!("/proc/{pid}/gid_map"), format!("{} {gid} 1", words[1]))?;
    // SAFETY: the kernel reads eight bytes.
    unsafe { libc::write(ready, 1u64.to_ne_bytes().as_ptr().cast(), 8) };
    exit(match waitpid(Pid::from_raw(pid as i32), None)? {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    })
}
