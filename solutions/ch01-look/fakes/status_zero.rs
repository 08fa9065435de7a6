//! Refused by step 3: it prints the error, but exits with 0.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn main() {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    for kind in KINDS {
        let number =
            |pid: &str| metadata(format!("/proc/{pid}/ns/{kind}")).map(|found| found.ino());
        match (number(&pids[0]), number(&pids[1])) {
            (Ok(one), Ok(two)) => println!("{kind} {}", if one == two { "same" } else { "other" }),
            (Err(error), _) | (_, Err(error)) => return eprintln!("{kind}: {error}"),
        }
    }
}
