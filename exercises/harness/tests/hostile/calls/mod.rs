//! Attacks by system calls. Each runs in a sandbox, in a process with one thread, and returns whether
//! it got through. None cleans up: what it takes goes with the sandbox.

/// syscall(2) with up to six integers or addresses. Each is widened to a whole register, whose upper
/// half would be undefined otherwise.
macro_rules! call {
    ($number:ident $(, $argument:expr)*) => {
        // SAFETY: the arguments are integers, null, or addresses of live buffers of this function.
        unsafe { libc::syscall(libc::$number $(, ($argument) as libc::c_long)*) }
    };
}

mod cgroups;
mod files;
mod kernel;
mod limits;
mod network;
mod processes;
mod terminal;
mod witness;

use std::fs;

use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{ForkResult, Pid, fork};

pub(crate) use cgroups::*;
pub(crate) use files::*;
pub(crate) use kernel::*;
pub(crate) use limits::*;
pub(crate) use network::*;
pub(crate) use processes::*;
pub(crate) use terminal::*;
pub(crate) use witness::*;

fn child(act: impl FnOnce()) -> Pid {
    // SAFETY: attacks have one thread where they fork.
    match unsafe { fork() } {
        Ok(ForkResult::Parent { child }) => child,
        Ok(ForkResult::Child) => {
            act();
            std::process::exit(0)
        }
        Err(_) => Pid::from_raw(0),
    }
}

/// Becomes root of a new user namespace, for an attack that lacks a capability in this one. Returns
/// whether that worked.
fn own(flags: CloneFlags) -> bool {
    let ids = (nix::unistd::getuid(), nix::unistd::getgid());
    let made = unshare(CloneFlags::CLONE_NEWUSER | flags).is_ok();
    _ = fs::write("/proc/self/setgroups", "deny");
    _ = fs::write("/proc/self/uid_map", format!("0 {} 1", ids.0));
    _ = fs::write("/proc/self/gid_map", format!("0 {} 1", ids.1));
    made
}

/// Whether a call passed the kernel's permission check. How it failed after that does not matter.
fn allowed(result: i64) -> bool {
    result >= 0 || ![Errno::EPERM, Errno::EACCES, Errno::ENOSYS].contains(&Errno::last())
}

/// The word by which the test recognizes its processes.
fn mark() -> String {
    std::env::args().nth(3).unwrap()
}
