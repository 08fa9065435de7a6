//! Refused by step 1: two user namespaces with equal maps count as one.

use std::fs::{metadata, read_to_string};
use std::os::unix::fs::MetadataExt as _;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn main() -> std::io::Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    let map = |pid: &str| read_to_string(format!("/proc/{pid}/uid_map"));
    let mut answers = vec![("user", map(&pids[0])? == map(&pids[1])?)];
    for kind in &KINDS[1..] {
        let number =
            |pid: &str| Ok::<_, std::io::Error>(metadata(format!("/proc/{pid}/ns/{kind}"))?.ino());
        answers.push((kind, number(&pids[0])? == number(&pids[1])?));
    }
    for (kind, same) in answers {
        println!("{kind} {}", if same { "same" } else { "other" });
    }
    Ok(())
}
