//! Named: another process made the call
//! Points at: unshare(
//! A child sets everything up and ends, and then COMMAND is started by its parent.

use std::fs;
use std::process::{Command, exit};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").unwrap();
    // SAFETY: there is one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            if at > 0 {
                let cgroup = format!("/sys/fs/cgroup/{}", words[0]);
                fs::create_dir(&cgroup).unwrap();
                fs::write(format!("{cgroup}/cgroup.procs"), "0").unwrap();
            }
            unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWCGROUP).unwrap();
            let none = None::<&str>;
            mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none).unwrap();
            umount2("/sys/fs/cgroup", MntFlags::MNT_DETACH).unwrap();
            let kind = Some("cgroup2");
            mount(kind, "/sys/fs/cgroup", kind, MsFlags::empty(), none).unwrap();
            exit(0)
        }
        ForkResult::Parent { child } => drop(waitpid(child, None).unwrap()),
    }
    let status = Command::new(&words[at + 1]).args(&words[at + 2..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
