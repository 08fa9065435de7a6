//! Named: a process ended after a call that failed
//! Points at: mount("proc"
//! The parent mounts when COMMAND is running, and panics.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::process::exit;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, execvp, fork};

fn main() {
    let words = std::env::args_os().skip(2);
    let words: Vec<CString> = words.map(|word| CString::new(word.as_bytes()).unwrap()).collect();
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS).unwrap();
    // SAFETY: there is one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            _ = execvp(&words[0], &words);
            exit(127)
        }
        ForkResult::Parent { child } => {
            let flags = MsFlags::MS_PRIVATE | MsFlags::MS_REC;
            mount(None::<&str>, "/", None::<&str>, flags, None::<&str>).unwrap();
            mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), None::<&str>).unwrap();
            match waitpid(child, None).unwrap() {
                WaitStatus::Exited(_, code) => exit(code),
                _ => exit(1),
            }
        }
    }
}
