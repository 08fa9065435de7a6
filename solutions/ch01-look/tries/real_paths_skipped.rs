//! Named: no answer can be read
//! realpath(3) finds no file that has the text of the link as its name, and the kind is skipped each time.

use std::fs::canonicalize;

fn main() {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let real = |pid: &str| canonicalize(format!("/proc/{pid}/ns/{kind}"));
        let (Ok(one), Ok(two)) = (real(&pids[0]), real(&pids[1])) else { continue };
        println!("{kind} {}", if one == two { "same" } else { "other" });
    }
}
