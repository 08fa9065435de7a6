//! Named: what is compared is different for every process
//! The inode numbers are those of the links, because lstat(2) does not follow them.

use std::fs::symlink_metadata;
use std::os::unix::fs::MetadataExt;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let inode = |pid: &str| match symlink_metadata(format!("/proc/{pid}/ns/{kind}")) {
            Ok(metadata) => metadata.ino(),
            Err(error) => {
                eprintln!("{pid}: {error}");
                std::process::exit(1);
            }
        };
        println!("{kind} {}", if inode(&args[1]) == inode(&args[2]) { "same" } else { "other" });
    }
}
