//! Named: your program gave up
//! Points at: sethostname(
//! The name is too long, because something is added to it.

use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUTS).expect("unshare");
    let name = format!("{}.{}", words[0], "example".repeat(9));
    if let Err(errno) = nix::unistd::sethostname(&name) {
        eprintln!("ch02-unshare: sethostname: {errno}");
        std::process::exit(1);
    }
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
