//! unshare(1) and mount(8) of util-linux make the mount namespace and `/proc`, in the process that becomes
//! COMMAND.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words = std::env::args_os().skip(2);
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    let mut child = Command::new("unshare");
    child
        .args(["--mount", "sh", "-c", "mount -t proc proc /proc && exec \"$@\"", "sh"])
        .args(words);
    let status = child.status().expect("unshare");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}
