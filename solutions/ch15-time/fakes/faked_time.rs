//! Refused by step 1: the clocks are shifted by variables that only some programs read.

use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (monotonic, boottime, command) = (&words[0], &words[1], &words[3..]);
    let variables = [("FAKETIME_MONOTONIC", monotonic), ("FAKETIME", boottime)];
    let status = Command::new(&command[0]).args(&command[1..]).envs(variables).status();
    exit(status.expect("execve").code().unwrap_or(1));
}
