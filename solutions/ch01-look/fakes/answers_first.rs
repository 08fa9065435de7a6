//! Refused by step 3: it has printed answers when it notices that it cannot know them.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;
use std::process::exit;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn main() {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    let mut failed = None;
    for kind in KINDS {
        let mut number = |pid: &str| match metadata(format!("/proc/{pid}/ns/{kind}")) {
            Ok(found) => found.ino(),
            Err(error) => {
                failed = Some(error);
                0
            }
        };
        println!("{kind} {}", if number(&pids[0]) == number(&pids[1]) { "same" } else { "other" });
    }
    if let Some(error) = failed {
        eprintln!("{error}");
        exit(1);
    }
}
