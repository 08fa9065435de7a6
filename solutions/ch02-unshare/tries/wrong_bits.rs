//! Named: an error was ignored
//! Points at: unshare(
//! 0x4000000 has lost a digit, and the result is compared with 1.

use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // SAFETY: takes an integer.
    if unsafe { libc::unshare(0x0040_0000) } == 1 {
        eprintln!("unshare failed");
        exit(1);
    }
    nix::unistd::sethostname(&args[1]).unwrap();
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
