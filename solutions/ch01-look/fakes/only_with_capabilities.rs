//! Refused by step 3: without capabilities it refuses to answer about any process, even about itself.

use std::fs::{metadata, read_to_string};
use std::os::unix::fs::MetadataExt as _;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn main() -> std::io::Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    let status = read_to_string("/proc/self/status")?;
    assert!(!status.contains("CapEff:\t0000000000000000"), "not allowed");
    for kind in KINDS {
        let number =
            |pid: &str| Ok::<_, std::io::Error>(metadata(format!("/proc/{pid}/ns/{kind}"))?.ino());
        println!(
            "{kind} {}",
            if number(&pids[0])? == number(&pids[1])? { "same" } else { "other" }
        );
    }
    Ok(())
}
