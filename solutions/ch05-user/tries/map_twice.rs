//! Named: a map is written twice
//! Points at: write(*uid_map*
//! The process maps its own id, and then a second line is to be added for root's files.

use std::fs::{File, OpenOptions};
use std::io::{Result, Write};
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn open(name: &str) -> Result<File> {
    OpenOptions::new().write(true).open(format!("/proc/self/{name}"))
}

fn write_maps(words: &[String], uid: u32, gid: u32) -> Result<()> {
    open("setgroups")?.write_all(b"deny")?;
    open("uid_map")?.write_all(format!("{} {uid} 1\n", words[0]).as_bytes())?;
    open("gid_map")?.write_all(format!("{} {gid} 1\n", words[1]).as_bytes())?;
    open("uid_map")?.write_all(b"0 0 1\n")
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (nix::unistd::getuid().as_raw(), nix::unistd::getgid().as_raw());
    unshare(CloneFlags::CLONE_NEWUSER).expect("unshare");
    if let Err(error) = write_maps(&words, uid, gid) {
        eprintln!("{error}");
        exit(1);
    }
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("COMMAND");
    exit(status.code().unwrap_or(1));
}
