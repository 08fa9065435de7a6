//! Named: COMMAND is a child of the child
//! unshare(1) is started with --fork, and starts COMMAND as its own child.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut child = Command::new("unshare")
        .args(["--uts", "--ipc", "--fork", "sh", "-c", "hostname \"$0\"; exec \"$@\"", &args[1]])
        .args(&args[3..])
        .spawn()
        .unwrap();
    // SAFETY: takes two integers.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id(), 0) };
    assert!(pidfd >= 0);
    let status = child.wait().unwrap();
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}
