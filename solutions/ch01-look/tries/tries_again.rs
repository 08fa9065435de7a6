//! Named: an error is tried again forever
//! An error is taken for a moment of bad luck.

use std::fs::{Metadata, metadata};
use std::os::unix::fs::MetadataExt;
use std::thread::sleep;
use std::time::Duration;

fn namespace(pid: &str, kind: &str) -> Metadata {
    loop {
        match metadata(format!("/proc/{pid}/ns/{kind}")) {
            Ok(found) => return found,
            Err(_) => sleep(Duration::from_millis(10)),
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let (one, two) = (namespace(&args[1], kind), namespace(&args[2], kind));
        let same = (one.dev(), one.ino()) == (two.dev(), two.ino());
        println!("{kind} {}", if same { "same" } else { "other" });
    }
}
