//! Named: one of the two is always you
//! Each process is compared with the program itself, and the second answer is the one that is printed.

use std::fs::read_link;
use std::io;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn shares_with_me(pid: &str, kind: &str) -> io::Result<bool> {
    Ok(read_link(format!("/proc/{pid}/ns/{kind}"))? == read_link(format!("/proc/self/ns/{kind}"))?)
}

fn main() -> io::Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    for kind in KINDS {
        let mut word = "same";
        for pid in &pids {
            word = if shares_with_me(pid, kind)? { "same" } else { "other" };
        }
        println!("{kind} {word}");
    }
    Ok(())
}
