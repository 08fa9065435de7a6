//! Named: the name is set without leaving the namespace
//! The lab is renamed for as long as COMMAND runs, and gets its old name back.

use std::process::{Command, exit};

use nix::unistd::{gethostname, sethostname};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let old = gethostname().unwrap();
    sethostname(&args[1]).unwrap();
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    sethostname(old).unwrap();
    exit(status.code().unwrap_or(1));
}
