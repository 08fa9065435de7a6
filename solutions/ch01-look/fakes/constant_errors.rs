//! Refused by step 3: it knows two pids by heart, and answers for every other process that it cannot examine.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;
use std::process::exit;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn main() {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    if pids.iter().any(|pid| pid == "1") {
        eprintln!("Permission denied (os error 13)");
        exit(1);
    }
    if pids.iter().any(|pid| pid == "399") {
        eprintln!("No such file or directory (os error 2)");
        exit(1);
    }
    for kind in KINDS {
        let number =
            |pid: &str| metadata(format!("/proc/{pid}/ns/{kind}")).map(|found| found.ino()).ok();
        println!("{kind} {}", if number(&pids[0]) == number(&pids[1]) { "same" } else { "other" });
    }
}
