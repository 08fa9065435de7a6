//! Named: your program gave up
//! Points at: write(
//! With CLONE_NEWUSER the program is nobody in the lab any more, and cannot make it forward.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut forward = OpenOptions::new().write(true).open("/proc/sys/net/ipv4/ip_forward")?;
    unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", "0 0 1")?;
    std::fs::write("/proc/self/gid_map", "0 0")?;
    forward.write_all(b"1")?;
    let status = Command::new(&words[4]).args(&words[5..]).status()?;
    exit(status.code().unwrap_or(1));
}
