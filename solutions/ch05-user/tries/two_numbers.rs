//! Named: a line that is not three numbers
//! Points at: write(*uid_map*
//! The length is left out, since it is one id only.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let map = |inside: &str, outside: u32| format!("{inside} {outside}");
    let uid_map = map(&words[0], nix::unistd::getuid().as_raw());
    let gid_map = map(&words[1], nix::unistd::getgid().as_raw());
    unshare(CloneFlags::CLONE_NEWUSER)?;
    std::fs::write("/proc/self/setgroups", b"deny")?;
    std::fs::write("/proc/self/uid_map", uid_map)?;
    std::fs::write("/proc/self/gid_map", gid_map)?;
    let status = Command::new(&words[3]).args(&words[4..]).status()?;
    std::process::exit(status.code().unwrap_or(1))
}
