//! Named: only another thread has moved
//! A worker thread leaves the namespace, and the first thread renames the lab and starts COMMAND.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (done, wait) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
        done.send(()).expect("send");
        std::thread::park();
    });
    wait.recv().expect("recv");
    nix::unistd::sethostname(&words[0]).expect("sethostname");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
