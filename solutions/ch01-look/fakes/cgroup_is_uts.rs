//! Refused by step 1: the answer about cgroup namespaces is the one about UTS namespaces.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn main() -> std::io::Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    let mut answers = Vec::new();
    for kind in KINDS {
        let link = if kind == "cgroup" { "uts" } else { kind };
        let number =
            |pid: &str| Ok::<_, std::io::Error>(metadata(format!("/proc/{pid}/ns/{link}"))?.ino());
        let answer = if number(&pids[0])? == number(&pids[1])? { "same" } else { "other" };
        answers.push(format!("{kind} {answer}"));
    }
    println!("{}", answers.join("\n"));
    Ok(())
}
