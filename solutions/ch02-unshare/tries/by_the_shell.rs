//! Named: another process made the call
//! A shell is told to leave the namespace and to set the name, and it ends.

use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let line = format!("unshare --uts hostname {}", args[1]);
    let shell = Command::new("sh").arg("-c").arg(line).status().unwrap();
    if !shell.success() {
        exit(1);
    }
    exit(Command::new(&args[3]).args(&args[4..]).status().unwrap().code().unwrap_or(1));
}
