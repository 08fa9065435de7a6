//! Named: it never ends
//! A loop asks for the end of COMMAND again and again, and compares the answer wrongly.

use std::process::{Command, exit};
use std::thread::sleep;
use std::time::Duration;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWUTS).unwrap();
    sethostname(&args[1]).unwrap();
    let mut child = Command::new(&args[3]).args(&args[4..]).spawn().unwrap();
    while !child.try_wait().unwrap().is_some_and(|status| status.success()) {
        sleep(Duration::from_millis(20));
    }
    exit(0);
}
