//! Named: an old mount
//! The paths are right with unshare(2) alone, and the mount is forgotten.

use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let all: Vec<String> = std::env::args().skip(1).collect();
    let mut parts = all.splitn(2, |word| word == "--");
    let (options, command) = (parts.next().unwrap(), parts.next().unwrap());
    let cgroup = options.first().map(|name| PathBuf::from("/sys/fs/cgroup").join(name));
    let moved = cgroup.clone();
    if let Some(cgroup) = &cgroup {
        std::fs::create_dir(cgroup).unwrap();
        if let [_, pids, memory] = options {
            std::fs::write(cgroup.join("pids.max"), pids).unwrap();
            std::fs::write(cgroup.join("memory.max"), memory).unwrap();
        }
    }
    let mut child = Command::new(&command[0]);
    child.args(&command[1..]);
    let setup = move || {
        if let Some(cgroup) = &moved {
            std::fs::write(cgroup.join("cgroup.procs"), "0")?;
        }
        unshare(CloneFlags::CLONE_NEWCGROUP)?;
        Ok(())
    };
    // SAFETY: the parent has one thread.
    unsafe { std::os::unix::process::CommandExt::pre_exec(&mut child, setup) };
    let status = child.status().unwrap();
    cgroup.map(std::fs::remove_dir).transpose().unwrap();
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}
