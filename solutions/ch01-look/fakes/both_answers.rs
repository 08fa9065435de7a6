//! Refused by step 1: it gives both answers, so that one of them is right.

use std::fs::metadata;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn main() -> std::io::Result<()> {
    for kind in KINDS {
        for pid in std::env::args().skip(1) {
            metadata(format!("/proc/{pid}/ns/{kind}"))?;
        }
        println!("{kind} same\n{kind} other");
    }
    Ok(())
}
