//! Named: a failed exec counts as an error of your own
//! Points at: execve(*
//! The process maps its own ids, and `status` does the rest. An exec that fails is an error like any other.

use std::fs::write;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode};

fn main() -> ExitCode {
    match run() {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> std::io::Result<u8> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUSER)?;
    write("/proc/self/setgroups", "deny")?;
    write("/proc/self/uid_map", format!("{} {uid} 1", words[0]))?;
    write("/proc/self/gid_map", format!("{} {gid} 1", words[1]))?;
    let status = Command::new(&words[3]).args(&words[4..]).status()?;
    Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)) as u8)
}
