//! Named: no answer can be read
//! The answers are right, and printed in a form of its own.

use std::fs::read_link;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let one = read_link(format!("/proc/{}/ns/{kind}", args[1]))?;
        let two = read_link(format!("/proc/{}/ns/{kind}", args[2]))?;
        println!("{kind}: {}", if one == two { "same" } else { "different" });
    }
    Ok(())
}
