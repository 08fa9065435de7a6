//! Named: another thread made the time namespace
//! Points at: unshare(
//! A thread makes the time namespace; its children would be inside, but main's are not.

use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let offsets = format!("monotonic {} 0\nboottime {} 0\n", words[0], words[1]);
    std::thread::spawn(move || {
        // SAFETY: takes an integer.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWTIME) }, 0);
        std::fs::write("/proc/self/timens_offsets", offsets).unwrap();
    })
    .join()
    .unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
