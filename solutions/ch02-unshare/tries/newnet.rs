//! Named: another flag than CLONE_NEWUTS
//! The flag is that of network namespaces, because a host name sounds like something of the network.

use std::process::Command;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    unshare(CloneFlags::CLONE_NEWNET).expect("failed to unshare");
    sethostname(&args[1]).expect("failed to set hostname");
    let mut child = Command::new(&args[3]).args(&args[4..]).spawn().expect("failed to spawn");
    let status = child.wait().expect("failed to wait");
    std::process::exit(status.code().unwrap_or(1));
}
