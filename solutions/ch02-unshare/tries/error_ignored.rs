//! Named: an error was ignored
//! Points at: unshare(
//! A flag that unshare(2) does not know is among the flags, and nobody looks at the result.

use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: takes an integer.
    unsafe { libc::unshare(libc::CLONE_NEWUTS | libc::SIGCHLD) };
    nix::unistd::sethostname(&words[0]).expect("sethostname");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
