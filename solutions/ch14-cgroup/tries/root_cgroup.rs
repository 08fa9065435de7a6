//! Named: the process moves to the root of the tree
//! The path of `cgroup.procs` lacks the name of the cgroup.

use std::fs;
use std::process::{Command, exit};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

const CGROUP: &str = "/sys/fs/cgroup";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").unwrap();
    if at > 0 {
        fs::create_dir(format!("{CGROUP}/{}", words[0])).unwrap();
    }
    // SAFETY: there is one thread.
    let code = match unsafe { fork() }.unwrap() {
        ForkResult::Parent { child } => match waitpid(child, None).unwrap() {
            WaitStatus::Exited(_, code) => code,
            _ => 1,
        },
        ForkResult::Child => {
            if at > 0 {
                fs::write(format!("{CGROUP}/cgroup.procs"), "0").unwrap();
            }
            unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWCGROUP).unwrap();
            let private = MsFlags::MS_SLAVE | MsFlags::MS_REC;
            mount(Some("none"), "/", None::<&str>, private, None::<&str>).unwrap();
            umount2(CGROUP, MntFlags::empty()).unwrap();
            let kind = Some("cgroup2");
            mount(Some("none"), CGROUP, kind, MsFlags::empty(), None::<&str>).unwrap();
            let done = Command::new(&words[at + 1]).args(&words[at + 2..]).status().unwrap();
            exit(done.code().unwrap_or(1))
        }
    };
    if at > 0 {
        fs::remove_dir(format!("{CGROUP}/{}", words[0])).unwrap();
    }
    exit(code);
}
