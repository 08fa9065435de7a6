//! ch04-threads PID: what unshare(2) and setns(2) return in a process with a second thread, kind by kind.

use std::env;
use std::fs::File;
use std::thread;

use anyhow::{Context as _, Result, bail};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

const KINDS: [(&str, CloneFlags); 8] = [
    ("uts", CloneFlags::CLONE_NEWUTS),
    ("ipc", CloneFlags::CLONE_NEWIPC),
    ("net", CloneFlags::CLONE_NEWNET),
    ("cgroup", CloneFlags::CLONE_NEWCGROUP),
    ("pid", CloneFlags::CLONE_NEWPID),
    ("time", CloneFlags::from_bits_retain(libc::CLONE_NEWTIME)),
    ("mnt", CloneFlags::CLONE_NEWNS),
    ("user", CloneFlags::CLONE_NEWUSER),
];

fn main() -> Result<()> {
    let pid = env::args().nth(1).context("usage: ch04-threads PID")?;
    println!("{:8}{:9}setns", "", "unshare");
    for (name, kind) in KINDS {
        let path = format!("/proc/{pid}/ns/{name}");
        let there = File::open(&path).with_context(|| format!("open({path:?})"))?;
        let left = beside_a_thread(|| unshare(kind))?;
        let joined = beside_a_thread(|| setns(&there, kind))?;
        println!("{name:8}{left:9}{joined}");
    }
    Ok(())
}

/// Makes a call in a child that has a second thread, and returns what came of it.
fn beside_a_thread(call: impl FnOnce() -> nix::Result<()>) -> Result<String> {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => {
            thread::spawn(thread::park);
            let errno = call().err().map_or(0, |errno| errno as i32);
            // SAFETY: it ends this process, and nothing of the parent's runs in it.
            unsafe { libc::_exit(errno) }
        }
        ForkResult::Parent { child } => match waitpid(child, None).context("waitpid()")? {
            WaitStatus::Exited(_, 0) => Ok("ok".to_owned()),
            WaitStatus::Exited(_, errno) => Ok(format!("{:?}", Errno::from_raw(errno))),
            other => bail!("the child: {other:?}"),
        },
    }
}
