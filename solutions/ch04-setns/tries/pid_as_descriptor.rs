//! Named: setns(2) is given no open descriptor
//! The number from the command line is given to setns(2), which takes it for a descriptor.

use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let pid: i32 = args[1].parse().expect("pid");
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWNET;
    // SAFETY: takes two integers.
    if unsafe { libc::setns(pid, flags) } == -1 {
        eprintln!("setns failed: {}", std::io::Error::last_os_error());
        exit(1);
    }
    let status = Command::new(&args[3]).args(&args[4..]).status().expect("exec");
    exit(status.code().unwrap_or(1));
}
