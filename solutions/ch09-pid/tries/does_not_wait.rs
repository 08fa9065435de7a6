//! Named: the wait has a limit
//! The parent asks ten times whether the child has ended, and then ends itself.

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWPID)?;
    // SAFETY: there is one thread.
    match unsafe { fork()? } {
        ForkResult::Parent { child } => {
            for _ in 0..10 {
                waitpid(child, Some(WaitPidFlag::WNOHANG))?;
                sleep(Duration::from_millis(30));
            }
            Ok(())
        }
        ForkResult::Child => {
            unshare(CloneFlags::CLONE_NEWNS)?;
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
            mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none)?;
            Err(Command::new(&words[0]).args(&words[1..]).exec().into())
        }
    }
}
