//! Refused by step 3: the host name is NAME for a moment only.

use std::process::Command;
use std::time::Duration;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUTS).expect("unshare");
    nix::unistd::sethostname(&words[0]).expect("sethostname");
    let mut child = Command::new(&words[2]).args(&words[3..]).spawn().expect("execve");
    std::thread::sleep(Duration::from_millis(30));
    nix::unistd::sethostname("lab").expect("sethostname");
    std::process::exit(child.wait().expect("waitpid").code().unwrap_or(1));
}
