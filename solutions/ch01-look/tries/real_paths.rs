//! Named: no process can be examined
//! The links are resolved by realpath(3), which looks for a file that has the text of the link as its name.

use std::fs::canonicalize;

fn main() -> std::io::Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let one = canonicalize(format!("/proc/{}/ns/{kind}", pids[0]))?;
        let two = canonicalize(format!("/proc/{}/ns/{kind}", pids[1]))?;
        println!("{kind} {}", if one == two { "same" } else { "other" });
    }
    Ok(())
}
