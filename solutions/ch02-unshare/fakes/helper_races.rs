//! Refused by step 2: a helper sets the name while COMMAND is started, so either may be first.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
    // SAFETY: the child only uses what it has copied, and never returns.
    let helper = unsafe { libc::fork() };
    if helper == 0 {
        sethostname(&words[0]).expect("sethostname");
        exit(0);
    }
    let mut child = Command::new(&words[2]).args(&words[3..]).spawn().expect("execve");
    let status = child.wait().expect("waitpid");
    // SAFETY: takes an integer and a pointer that may be null.
    unsafe { libc::waitpid(helper, std::ptr::null_mut(), 0) };
    exit(status.code().unwrap_or(1));
}
