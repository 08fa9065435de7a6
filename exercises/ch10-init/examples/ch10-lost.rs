//! ch10-lost: twenty children end while their parent is busy, and it takes one status for each SIGCHLD.

use std::fs;
use std::io;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result};
use nix::sys::signal::{SigHandler, SigSet, Signal, signal};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;

static REPORTS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn count(_: i32) {
    REPORTS.fetch_add(1, Ordering::Relaxed);
}

fn main() -> Result<()> {
    // SAFETY: the handler does nothing but add to an atomic number.
    unsafe { signal(Signal::SIGCHLD, SigHandler::Handler(count)) }.context("signal(SIGCHLD)")?;

    // While it is blocked, a SIGCHLD stays pending: this stands for a parent that has other work to do.
    let mut held = SigSet::empty();
    held.add(Signal::SIGCHLD);
    held.thread_block().context("sigprocmask()")?;
    let children: io::Result<Vec<Child>> = (0..20).map(|_| Command::new("true").spawn()).collect();
    let mut children = children.context("execve(\"true\")")?;
    for child in &children {
        // WNOWAIT waits for the end and leaves the zombie.
        let pid = Id::Pid(Pid::from_raw(child.id() as i32));
        waitid(pid, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT).context("waitid()")?;
    }
    println!("children that have ended: {}", zombies(&children));
    held.thread_unblock().context("sigprocmask()")?;

    let reports = REPORTS.load(Ordering::Relaxed);
    println!("SIGCHLD has come: {reports}");
    for child in children.iter_mut().take(reports) {
        child.wait().context("wait4()")?;
    }
    println!("zombies that are left: {}", zombies(&children));
    Ok(())
}

fn zombies(children: &[Child]) -> usize {
    let status = |child: &Child| fs::read_to_string(format!("/proc/{}/status", child.id()));
    let is_zombie = |child: &&Child| status(child).is_ok_and(|text| text.contains("State:\tZ"));
    children.iter().filter(is_zombie).count()
}
