//! Named: another process made the call
//! Points at: unshare(
//! unshare(1) makes the namespace for `true`, and COMMAND is started beside it.

use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let made = Command::new("unshare")
        .args(["--time", "--monotonic", &words[0], "--boottime", &words[1], "--fork", "true"])
        .status()
        .expect("unshare");
    if !made.success() {
        exit(1);
    }
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
