//! Named: COMMAND is still in the lab's UTS namespace
//! unshare(0) succeeds, and leaves nothing. The name is set from a file that the lab does not have.

use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // SAFETY: takes an integer.
    let result = unsafe { libc::unshare(0) };
    assert_eq!(result, 0);
    let _ = std::fs::read_to_string("/etc/hostname").map(|text| text.replace("lab", &args[1]));
    exit(Command::new(&args[3]).args(&args[4..]).status().unwrap().code().unwrap_or(1));
}
