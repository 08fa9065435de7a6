//! Named: what is compared is different for every process
//! The inode number is that of the folder `ns`, of which every process has its own.

use std::os::unix::fs::MetadataExt;

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let one = std::fs::metadata(format!("/proc/{}/ns", args[1]))?.ino();
    let two = std::fs::metadata(format!("/proc/{}/ns", args[2]))?.ino();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        println!("{kind} {}", if one == two { "same" } else { "other" });
    }
    Ok(())
}
