//! Named: a process is still running
//! COMMAND is started in the right place, and nothing waits for it.

use std::fs::File;
use std::process::Command;

use nix::sched::{CloneFlags, setns};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    for kind in ["uts", "ipc", "net"] {
        let file = File::open(format!("/proc/{}/ns/{kind}", args[1])).unwrap();
        setns(file, CloneFlags::empty()).unwrap();
    }
    Command::new(&args[3]).args(&args[4..]).spawn().unwrap();
}
