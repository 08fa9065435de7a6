//! Named: something else than NAME is set
//! args[0] is the program, and the index is one too small.

use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUTS).unwrap();
    let name = std::path::Path::new(&args[0]).file_name().unwrap();
    nix::unistd::sethostname(name).unwrap();
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
