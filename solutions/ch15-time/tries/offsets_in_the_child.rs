//! Named: the offsets are written after the first child
//! Points at: write(
//! The child is to set its own clocks.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: takes an integer.
    nix::errno::Errno::result(unsafe { libc::unshare(libc::CLONE_NEWTIME) })?;
    // SAFETY: there is one thread.
    match unsafe { fork()? } {
        ForkResult::Child => {
            let offsets = format!("monotonic {} 0\nboottime {} 0", words[0], words[1]);
            std::fs::write("/proc/self/timens_offsets", offsets)?;
            Err(Command::new(&words[3]).args(&words[4..]).exec())?
        }
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, code) => exit(code),
            _ => exit(1),
        },
    }
}
