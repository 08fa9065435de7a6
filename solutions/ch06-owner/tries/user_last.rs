//! Named: the user namespace is made last
//! One call for each namespace, and the one that needs no privilege comes at the end.

use std::io::{Error, Result};
use std::process::Command;

fn unshare(flag: i32) -> Result<()> {
    // SAFETY: takes an integer.
    if unsafe { libc::unshare(flag) } == -1 { Err(Error::last_os_error()) } else { Ok(()) }
}

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: they cannot fail.
    let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
    unshare(libc::CLONE_NEWUTS)?;
    unshare(libc::CLONE_NEWIPC)?;
    unshare(libc::CLONE_NEWNET)?;
    unshare(libc::CLONE_NEWUSER)?;
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1\n"))?;
    std::fs::write("/proc/self/setgroups", "deny\n")?;
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1\n"))?;
    // SAFETY: the pointer and the length are of one string.
    if unsafe { libc::sethostname(words[0].as_ptr().cast(), words[0].len()) } == -1 {
        return Err(Error::last_os_error());
    }
    let status = Command::new(&words[2]).args(&words[3..]).status()?;
    std::process::exit(status.code().unwrap_or(1));
}
