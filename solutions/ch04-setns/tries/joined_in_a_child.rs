//! Named: another process made the call
//! A child joins the three and ends. COMMAND is started by the parent.

use std::fs::File;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    // SAFETY: there is one thread.
    match unsafe { fork() }? {
        ForkResult::Child => {
            for kind in ["uts", "ipc", "net"] {
                setns(File::open(format!("/proc/{}/ns/{kind}", args[1]))?, CloneFlags::empty())?;
            }
            exit(0)
        }
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
        }
    }
    let status = Command::new(&args[3]).args(&args[4..]).status()?;
    exit(status.code().unwrap_or(1))
}
