//! Starts slowly, prints a lot on both streams, and looks every now and then whether COMMAND has ended.

use std::process::{Command, exit};
use std::thread::sleep;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    sleep(Duration::from_millis(300));
    for line in 0..2000 {
        println!("{line}: soon there is a namespace");
        eprintln!("{line}: and in it a name");
    }
    unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
    sethostname(&words[0]).expect("sethostname");
    let mut child = Command::new(&words[2]).args(&words[3..]).spawn().expect("execve");
    let status = loop {
        match child.try_wait().expect("waitpid") {
            Some(status) => break status,
            None => sleep(Duration::from_millis(10)),
        }
    };
    println!("COMMAND: {status}");
    exit(status.code().unwrap_or(1));
}
