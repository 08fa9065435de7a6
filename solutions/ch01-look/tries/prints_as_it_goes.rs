//! Named: answers come before an error
//! Each answer is printed when it is known, and the first error ends the program.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;

fn main() -> std::io::Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let one = metadata(format!("/proc/{}/ns/{kind}", pids[0]))?;
        let two = metadata(format!("/proc/{}/ns/{kind}", pids[1]))?;
        println!("{kind} {}", if one.ino() == two.ino() { "same" } else { "other" });
    }
    Ok(())
}
