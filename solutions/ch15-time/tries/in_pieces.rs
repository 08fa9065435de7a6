//! Named: the kernel cannot read the offsets
//! Points at: write(
//! `writeln!` makes several calls of write(2).

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: takes an integer.
    if unsafe { libc::unshare(libc::CLONE_NEWTIME) } != 0 {
        panic!("unshare: {}", std::io::Error::last_os_error());
    }
    let mut offsets =
        OpenOptions::new().write(true).open("/proc/self/timens_offsets").expect("open");
    writeln!(offsets, "monotonic {} 0", words[0]).expect("monotonic");
    writeln!(offsets, "boottime {} 0", words[1]).expect("boottime");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
