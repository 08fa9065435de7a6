//! Named: the capabilities are lost in the exec
//! The user keeps its number in the new namespace, so that the prompt looks as before.

use std::process::Command;

use anyhow::{Result, bail};

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let uid = nix::unistd::getuid();
    let gid = nix::unistd::getgid();
    let flags = libc::CLONE_NEWUSER | libc::CLONE_NEWUTS | libc::CLONE_NEWNET | libc::CLONE_NEWIPC;
    // SAFETY: takes an integer.
    if unsafe { libc::unshare(flags) } != 0 {
        bail!("unshare: {}", std::io::Error::last_os_error());
    }
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("{uid} {uid} 1"))?;
    std::fs::write("/proc/self/gid_map", format!("{gid} {gid} 1"))?;
    nix::unistd::sethostname(&words[0])?;
    let status = Command::new(&words[2]).args(&words[3..]).status()?;
    std::process::exit(status.code().unwrap_or(1));
}
