//! Named: the error is not reported
//! If the process cannot be joined, the program ends with 1, and says nothing.

use std::fs::File;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    for kind in ["uts", "ipc", "net"] {
        let Ok(file) = File::open(format!("/proc/{}/ns/{kind}", args[1])) else { exit(1) };
        if setns(file, CloneFlags::empty()).is_err() {
            exit(1);
        }
    }
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
