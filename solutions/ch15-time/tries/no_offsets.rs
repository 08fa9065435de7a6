//! Named: the new namespace has the old offsets
//! The offsets are written to the file of another process: the parent's own parent.

use std::os::unix::process::parent_id;
use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: takes an integer.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWTIME) }, 0);
    let file = format!("/proc/{}/timens_offsets", parent_id());
    let offsets = format!("monotonic {} 0\nboottime {} 0\n", words[0], words[1]);
    if std::fs::write(file, offsets).is_err() {
        eprintln!("warning: no offsets");
    }
    exit(Command::new(&words[3]).args(&words[4..]).status().unwrap().code().unwrap_or(1));
}
