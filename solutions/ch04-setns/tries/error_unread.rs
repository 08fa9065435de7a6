//! Named: an error was ignored
//! setns(2) with a file and three flags fails, and nothing asks for the result.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let file = File::open(format!("/proc/{}/ns/net", args[1])).unwrap();
    // SAFETY: takes two integers.
    unsafe {
        libc::setns(file.as_raw_fd(), libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWNET);
    }
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
