//! Named: the child has ended before its maps are written
//! Points at: open(
//! The child asks for its new uid first, which does not exist yet, and ends.

use std::fs::write;
use std::io::{Read, Write, pipe};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{Pid, getgid, getuid, setuid};

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (getuid(), getgid());
    let (mut reader, mut writer) = pipe()?;
    let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
    // SAFETY: without a stack the child runs on a copy of this one.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags as libc::c_long, 0, 0, 0, 0) };
    if pid == 0 {
        if setuid(words[0].parse::<u32>()?.into()).is_err() {
            exit(3);
        }
        drop(writer);
        reader.read_exact(&mut [0])?;
        let error = Command::new(&words[3]).args(&words[4..]).exec();
        eprintln!("{error}");
        exit(127);
    }
    // It takes a moment until the child is there.
    std::thread::sleep(std::time::Duration::from_millis(100));
    write(format!("/proc/{pid}/setgroups"), "deny")?;
    write(format!("/proc/{pid}/uid_map"), format!("{} {uid} 1", words[0]))?;
    write(format!("/proc/{pid}/gid_map"), format!("{} {gid} 1", words[1]))?;
    writer.write_all(b"x")?;
    let end = waitid(Id::Pid(Pid::from_raw(pid as i32)), WaitPidFlag::WEXITED)?;
    exit(match end {
        nix::sys::wait::WaitStatus::Exited(_, code) => code,
        nix::sys::wait::WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    })
}
