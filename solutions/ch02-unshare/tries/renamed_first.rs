//! Named: the name is set before leaving the namespace
//! The name is set at once, while the arguments are read, and the namespace is left for COMMAND.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let mut args = std::env::args().skip(1);
    while let Some(word) = args.next() {
        if word == "--" {
            break;
        }
        sethostname(word).unwrap();
    }
    let command: Vec<String> = args.collect();
    unshare(CloneFlags::CLONE_NEWUTS).unwrap();
    exit(Command::new(&command[0]).args(&command[1..]).status().unwrap().code().unwrap_or(1));
}
