//! Named: an error ends with status 0
//! The error is printed, and the status is 256, which the kernel cuts to eight bits.

use std::fs::read_link;
use std::process::exit;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut lines = String::new();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let link = |pid: &String| {
            read_link(format!("/proc/{pid}/ns/{kind}")).unwrap_or_else(|error| {
                eprintln!("{pid}: {kind}: {error}");
                exit(256)
            })
        };
        let same = link(&args[1]) == link(&args[2]);
        lines += &format!("{kind} {}\n", if same { "same" } else { "other" });
    }
    print!("{lines}");
}
