//! Named: the user namespace is joined first
//! All links are joined, in the order in which chapter 1 lists them.

use std::fs::File;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    for kind in ["user", "net", "uts", "ipc"] {
        let file = File::open(format!("/proc/{}/ns/{kind}", args[1])).expect("open");
        if let Err(errno) = setns(file, CloneFlags::empty()) {
            eprintln!("setns {kind}: {errno}");
            exit(1);
        }
    }
    let status = Command::new(&args[3]).args(&args[4..]).status().expect("exec");
    exit(status.code().unwrap_or(1));
}
