//! Named: something is added to the name
//! The name is written as a line of a file, with its line end.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    if unshare(CloneFlags::CLONE_NEWUTS).is_err() {
        exit(1);
    }
    if sethostname(format!("{}\n", args[1])).is_err() {
        exit(1);
    }
    match Command::new(&args[3]).args(&args[4..]).status() {
        Ok(status) => exit(status.code().unwrap_or(1)),
        Err(_) => exit(127),
    }
}
