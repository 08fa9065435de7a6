//! Refused by step 2: the lab has the name until there is a copy of it.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (lab, name) = (std::fs::File::open("/proc/self/ns/uts"), nix::unistd::gethostname());
    sethostname(&words[0]).expect("sethostname");
    unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
    let copy = std::fs::File::open("/proc/self/ns/uts").expect("open");
    setns(lab.expect("open"), CloneFlags::CLONE_NEWUTS).expect("setns");
    sethostname(name.expect("gethostname")).expect("sethostname");
    setns(copy, CloneFlags::CLONE_NEWUTS).expect("setns");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
