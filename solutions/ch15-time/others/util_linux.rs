//! Lets unshare(1) make the namespace, write both offsets and start COMMAND.

use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (monotonic, boottime, command) = (&words[0], &words[1], &words[3..]);
    let mut unshare = Command::new("unshare");
    unshare.args(["--time", "--fork", "--monotonic", monotonic, "--boottime", boottime, "--"]);
    exit(unshare.args(command).status().expect("unshare(1)").code().unwrap_or(1));
}
