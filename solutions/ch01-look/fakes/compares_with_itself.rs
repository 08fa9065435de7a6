//! Refused by step 1: two processes count as together only where this program is.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn main() -> std::io::Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    for kind in KINDS {
        let number =
            |pid: &str| Ok::<_, std::io::Error>(metadata(format!("/proc/{pid}/ns/{kind}"))?.ino());
        let own = number("self")?;
        let same = number(&pids[0])? == own && number(&pids[1])? == own;
        println!("{kind} {}", if same { "same" } else { "other" });
    }
    Ok(())
}
