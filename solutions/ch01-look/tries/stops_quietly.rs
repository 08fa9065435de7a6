//! Named: an error ends with status 0
//! At the first link that cannot be read the loop ends, and the program says that all is well.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt;

fn main() {
    let args: Vec<_> = std::env::args().collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let (Ok(first), Ok(second)) = (
            metadata(format!("/proc/{}/ns/{kind}", args[1])),
            metadata(format!("/proc/{}/ns/{kind}", args[2])),
        ) else {
            break;
        };
        let same = first.ino() == second.ino() && first.dev() == second.dev();
        println!("{kind} {}", if same { "same" } else { "other" });
    }
}
