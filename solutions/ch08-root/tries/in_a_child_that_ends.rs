//! Named: another process made the call
//! A child changes its root and ends, and COMMAND is started by the parent.

use std::process::{Command, exit};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, chdir, fork, pivot_root};

fn jail(root: &str) -> nix::Result<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some(root), root, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
    chdir(root)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: this process has one thread.
    match unsafe { fork() } {
        Ok(ForkResult::Child) => exit(jail(&words[0]).is_err().into()),
        Ok(ForkResult::Parent { child }) => _ = waitpid(child, None).expect("waitpid"),
        Err(errno) => panic!("fork: {errno}"),
    }
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
