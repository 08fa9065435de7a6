//! Named: another process made the call
//! unshare(1) is started as a child, and moves itself only.

use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    Command::new("unshare").args(["--uts", "hostname", &words[0]]).status().expect("unshare");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
