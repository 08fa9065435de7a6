//! Named: another thread made the call
//! unshare(2) is left to a thread, which is joined at once.

use std::process::{Command, exit};
use std::thread;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let result = thread::spawn(|| nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWUTS)).join();
    result.expect("join").expect("unshare");
    nix::unistd::sethostname(&args[1]).expect("sethostname");
    let status = Command::new(&args[3]).args(&args[4..]).status().expect("status");
    exit(status.code().unwrap_or(1));
}
