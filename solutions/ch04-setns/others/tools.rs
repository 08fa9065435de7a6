//! Lets nsenter(1) join and mount(8) pin.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == "pin" {
        return pin(&words[1], &words[2]);
    }
    let mut tool = Command::new("nsenter");
    tool.args(["--uts", "--ipc", "--net", "--target", &words[0], "--"]).args(&words[2..]);
    panic!("execve: {}", tool.exec());
}

fn pin(pid: &str, path: &str) {
    let namespace = format!("/proc/{pid}/ns/uts");
    File::create(path).expect("creat");
    let status = Command::new("mount").args(["--bind", &namespace, path]).status();
    exit(status.expect("execve").code().unwrap_or(1));
}
