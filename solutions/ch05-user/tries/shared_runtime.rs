//! Named: another thread is already running
//! Points at: unshare(*
//! A logger thread is started first, as a library might do.

use std::process::Command;
use std::sync::mpsc;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (log, lines) = mpsc::channel::<String>();
    std::thread::spawn(move || lines.iter().for_each(|line| eprintln!("{line}")));
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    if let Err(errno) = unshare(CloneFlags::CLONE_NEWUSER) {
        log.send(format!("unshare: {errno}")).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(50));
        std::process::exit(1);
    }
    std::fs::write("/proc/self/setgroups", "deny").unwrap();
    std::fs::write("/proc/self/uid_map", format!("{} {uid} 1", words[0])).unwrap();
    std::fs::write("/proc/self/gid_map", format!("{} {gid} 1", words[1])).unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
