//! A child makes the namespace, and a grandchild is born in it. The program itself stays outside.

use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    in_child(|| {
        // SAFETY: unshare takes only an integer.
        assert!(unsafe { libc::unshare(libc::CLONE_NEWTIME) } == 0, "unshare");
        let offsets = format!("monotonic {} 0\nboottime {} 0\n", words[0], words[1]);
        std::fs::write("/proc/self/timens_offsets", offsets).expect("timens_offsets");
        in_child(|| {
            let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
            exit(status.code().unwrap_or(1));
        });
    });
}

/// Runs `act` in a child, and exits with the child's status.
fn in_child(act: impl FnOnce()) {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => act(),
        ForkResult::Parent { child } => match waitpid(child, None).expect("waitpid") {
            WaitStatus::Exited(_, code) => exit(code),
            _ => exit(1),
        },
    }
}
