//! Named: a namespace's file cannot be linked
//! `ln` instead of a mount: link(2) does not go from one filesystem to another.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "pin" {
        if let Err(error) = std::fs::hard_link(format!("/proc/{}/ns/uts", args[2]), &args[3]) {
            eprintln!("link: {error}");
            exit(1);
        }
        return;
    }
    for kind in ["uts", "ipc", "net"] {
        let file = std::fs::File::open(format!("/proc/{}/ns/{kind}", args[1])).unwrap();
        setns(file, CloneFlags::empty()).unwrap();
    }
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
