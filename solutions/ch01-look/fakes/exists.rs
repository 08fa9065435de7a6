//! Refused by step 3: it makes sure that both processes exist, but guesses where it may not look.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;
use std::process::exit;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn main() {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    for pid in &pids {
        if let Err(error) = metadata(format!("/proc/{pid}")) {
            eprintln!("{pid}: {error}");
            exit(1);
        }
    }
    for kind in KINDS {
        let number =
            |pid: &str| metadata(format!("/proc/{pid}/ns/{kind}")).map(|found| found.ino()).ok();
        println!("{kind} {}", if number(&pids[0]) == number(&pids[1]) { "same" } else { "other" });
    }
}
