//! Refused by step 3: COMMAND runs a second time, where the host name is the lab's.

use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let run = || Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    let (there, back) = (words[0].clone(), std::fs::File::open("/proc/self/ns/uts").expect("open"));
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUTS).expect("unshare");
    nix::unistd::sethostname(there).expect("sethostname");
    let status = run();
    nix::sched::setns(back, nix::sched::CloneFlags::CLONE_NEWUTS).expect("setns");
    run();
    std::process::exit(status.code().unwrap_or(1));
}
