//! Named: the bounding set still has the others
//! capset(2) comes first, and the capability that prctl(2) needs is gone by then. Nothing looks at what it
//! returns.

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
    leave(&words[0]);
    if let [_, _, number] = &words[..at] {
        let number: u64 = number.parse().unwrap();
        let header = [0x2008_0522u32, 0];
        let mut sets = [0u32; 6];
        let half = number as usize / 32 * 3;
        sets[half..half + 3].fill(1 << (number % 32));
        // SAFETY: a header, and three sets of twice 32 bits.
        let set = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) };
        assert_eq!(set, 0, "capset");
        for other in (0..=40).filter(|other| *other != number) {
            // SAFETY: takes five integers.
            unsafe { libc::prctl(libc::PR_CAPBSET_DROP, other, 0, 0, 0) };
        }
    }
    let error = Command::new(&words[at + 1]).args(&words[at + 2..]).exec();
    eprintln!("{error}");
    exit(127);
}
