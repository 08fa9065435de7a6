//! Named: an error ends with status 0
//! A kind that cannot be examined is `unknown`, and the program exits as if it had answered.

use std::fs::{exists, read_link};

fn main() -> std::io::Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    for pid in &pids {
        if !exists(format!("/proc/{pid}"))? {
            return Err(std::io::Error::other(format!("there is no process {pid}")));
        }
    }
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let link = |pid: &str| read_link(format!("/proc/{pid}/ns/{kind}"));
        let answer = match (link(&pids[0]), link(&pids[1])) {
            (Ok(one), Ok(two)) if one == two => "same",
            (Ok(_), Ok(_)) => "other",
            _ => "unknown",
        };
        println!("{kind} {answer}");
    }
    Ok(())
}
