//! Refused by step 3: if the second process cannot be examined, that counts as another namespace.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn main() -> std::io::Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    for kind in KINDS {
        let number =
            |pid: &str| metadata(format!("/proc/{pid}/ns/{kind}")).map(|found| found.ino());
        let (one, two) = (number(&pids[0])?, number(&pids[1]).ok());
        println!("{kind} {}", if Some(one) == two { "same" } else { "other" });
    }
    Ok(())
}
