//! Named: your program gave up
//! Points at: execve(*--*
//! The words after NAME are taken for COMMAND, and the first of them is `--`.

use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUTS).unwrap();
    nix::unistd::sethostname(&args[1]).unwrap();
    match Command::new(&args[2]).args(&args[3..]).status() {
        Ok(status) => exit(status.code().unwrap_or(1)),
        Err(error) => {
            eprintln!("{}: {error}", args[2]);
            exit(1)
        }
    }
}
