//! Named: another thread is already running
//! The user namespace is to be made in a thread of its own, which is refused.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let worker = std::thread::spawn(move || {
        let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
        unshare(CloneFlags::CLONE_NEWUSER)?;
        std::fs::write("/proc/self/setgroups", "deny")?;
        std::fs::write("/proc/self/uid_map", format!("{} {uid} 1", words[0]))?;
        std::fs::write("/proc/self/gid_map", format!("{} {gid} 1", words[1]))?;
        Command::new(&words[3]).args(&words[4..]).status()
    });
    match worker.join().expect("join") {
        Ok(status) => std::process::exit(status.code().unwrap_or(1)),
        Err(error) => {
            eprintln!("worker: {error}");
            std::process::exit(1);
        }
    }
}
