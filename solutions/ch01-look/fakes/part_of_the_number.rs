//! Refused by step 1: only the first eight of ten digits of the inode numbers are compared.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn main() -> std::io::Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    let mut answers = Vec::new();
    for kind in KINDS {
        let number = |pid: &str| {
            Ok::<_, std::io::Error>(metadata(format!("/proc/{pid}/ns/{kind}"))?.ino() / 100)
        };
        let answer = if number(&pids[0])? == number(&pids[1])? { "same" } else { "other" };
        answers.push(format!("{kind} {answer}"));
    }
    println!("{}", answers.join("\n"));
    Ok(())
}
