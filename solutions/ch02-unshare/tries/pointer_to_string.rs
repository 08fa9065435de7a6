//! Named: something else than NAME is set
//! sethostname(2) is given the address of the String, not that of its text.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWUTS).unwrap();
    let name = &args[1];
    // SAFETY: a String is larger than the eight bytes that are read.
    let result = unsafe { libc::sethostname(std::ptr::from_ref(name).cast(), 8) };
    assert_eq!(result, 0);
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
