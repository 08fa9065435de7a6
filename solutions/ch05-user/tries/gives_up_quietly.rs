//! Named: a map in several writes
//! Points at: write(*_map*
//! `writeln!` writes in pieces, and the program ends without a word.

use std::io::Write;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn set(file: &str, inside: &str, outside: u32) -> std::io::Result<()> {
    let mut map = std::fs::File::create(format!("/proc/self/{file}"))?;
    writeln!(map, "{} {} {}", inside, outside, 1)
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw());
    unshare(CloneFlags::CLONE_NEWUSER).unwrap();
    std::fs::write("/proc/self/setgroups", "deny").unwrap();
    if set("uid_map", &words[0], uid).is_err() || set("gid_map", &words[1], gid).is_err() {
        std::process::exit(1);
    }
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
