//! Named: the offsets are written in the lab's time namespace
//! Points at: write(
//! The errors are only printed.

use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let offsets = format!("monotonic {} 0\nboottime {} 0\n", words[0], words[1]);
    if let Err(error) = std::fs::write("/proc/self/timens_offsets", offsets) {
        eprintln!("offsets: {error}");
    }
    // SAFETY: takes an integer.
    if unsafe { libc::unshare(libc::CLONE_NEWTIME) } == -1 {
        eprintln!("unshare: {}", std::io::Error::last_os_error());
    }
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
