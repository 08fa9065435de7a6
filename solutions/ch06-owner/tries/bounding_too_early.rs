//! Named: the bounding set is reduced too early
//! Everything else is given up at the very beginning, to be safe.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getgid, getuid, sethostname};

fn leave(name: &str) {
    let (uid, gid) = (getuid(), getgid());
    let kinds = CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUTS | CloneFlags::CLONE_NEWIPC;
    unshare(CloneFlags::CLONE_NEWUSER | kinds).unwrap();
    std::fs::write("/proc/self/setgroups", "deny").unwrap();
    std::fs::write("/proc/self/uid_map", format!("0 {uid} 1")).unwrap();
    std::fs::write("/proc/self/gid_map", format!("0 {gid} 1")).unwrap();
    sethostname(name).unwrap();
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").unwrap();
    if let [_, _, number] = &words[..at] {
        let number: u64 = number.parse().unwrap();
        for other in (0..=40).filter(|other| *other != number) {
            // SAFETY: takes five integers.
            unsafe { libc::prctl(libc::PR_CAPBSET_DROP, other, 0, 0, 0) };
        }
    }
    leave(&words[0]);
    let error = Command::new(&words[at + 1]).args(&words[at + 2..]).exec();
    eprintln!("{error}");
    exit(127);
}
