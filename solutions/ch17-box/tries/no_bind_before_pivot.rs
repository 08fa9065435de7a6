//! Named: your program gave up
//! Points at: pivot_root(
//! ROOT is no mount point when pivot_root(2) is called.

use std::fs;
use std::process::{Command, exit};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, chdir, fork, getegid, geteuid, pivot_root, sethostname};

fn main() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").expect("usage");
    let option = |name: &str| {
        let place = words[..at].iter().position(|word| word == name);
        place.map(|place| words[place + 1].as_str())
    };
    let (uid, gid) = (geteuid(), getegid());
    let kinds = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWCGROUP
        | CloneFlags::from_bits_retain(libc::CLONE_NEWTIME);
    unshare(kinds)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))?;
    if let Some(name) = option("--hostname") {
        sethostname(name)?;
    }
    // SAFETY: there is one thread.
    match unsafe { fork()? } {
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, code) => exit(code),
            _ => exit(1),
        },
        ForkResult::Child => {
            enter(&words[at - 1], option("--rw"))?;
            let status = Command::new(&words[at + 1]).args(&words[at + 2..]).status()?;
            exit(status.code().unwrap_or(1))
        }
    }
}

/// Makes `root` the root directory, read-only but for `writable`.
fn enter(root: &str, writable: Option<&str>) -> nix::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    chdir(root)?;
    mount(Some("proc"), "proc", Some("proc"), MsFlags::empty(), none)?;
    _ = writable;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")
}
