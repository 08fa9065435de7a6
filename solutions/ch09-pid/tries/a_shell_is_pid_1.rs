//! Named: COMMAND is not PID 1
//! A shell script does it all, and COMMAND is a child of the shell.

use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let script = "mount -t proc proc /proc && \"$@\"; exit $?";
    let mut command = Command::new("unshare");
    command.args(["--pid", "--fork", "--mount", "sh", "-c", script, "sh"]);
    match command.args(words).status() {
        Ok(status) => exit(status.code().unwrap_or(1)),
        Err(error) => panic!("unshare: {error}"),
    }
}
