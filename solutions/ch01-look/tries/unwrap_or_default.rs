//! Named: an error becomes an answer
//! A link that cannot be read counts as an empty one, and two empty ones are equal.

use std::fs;

fn main() {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let link =
            |pid: &String| fs::read_link(format!("/proc/{pid}/ns/{kind}")).unwrap_or_default();
        println!("{kind} {}", if link(&pids[0]) == link(&pids[1]) { "same" } else { "other" });
    }
}
