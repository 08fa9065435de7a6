//! Named: one of the two processes is never looked at
//! The second closure has the first index, so a process is compared with itself.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let one = metadata(format!("/proc/{}/ns/{kind}", args[1]))?;
        let two = metadata(format!("/proc/{}/ns/{kind}", args[1]))?;
        println!("{kind} {}", if one.ino() == two.ino() { "same" } else { "other" });
    }
    Ok(())
}
