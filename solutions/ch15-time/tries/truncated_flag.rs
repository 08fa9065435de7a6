//! Named: the flag is cut off
//! The flag goes through nix, whose `from_bits_truncate` does not know it.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::from_bits_truncate(libc::CLONE_NEWTIME)).expect("unshare");
    let offsets = format!("monotonic {} 0\nboottime {} 0\n", words[0], words[1]);
    std::fs::write("/proc/self/timens_offsets", offsets).expect("timens_offsets");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
