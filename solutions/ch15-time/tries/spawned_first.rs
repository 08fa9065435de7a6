//! Named: COMMAND is in the lab's time namespace
//! COMMAND is running already when its parent makes the namespace and writes the offsets.

use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut child = Command::new(&words[3]).args(&words[4..]).spawn().unwrap();
    // SAFETY: takes an integer.
    if unsafe { libc::unshare(libc::CLONE_NEWTIME) } == 0 {
        let offsets = format!("monotonic {} 0\nboottime {} 0\n", words[0], words[1]);
        std::fs::write("/proc/self/timens_offsets", offsets).unwrap();
    }
    exit(child.wait().unwrap().code().unwrap_or(1));
}
