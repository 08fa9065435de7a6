//! ch03-number: two children have the same pid, one after the other.

use std::fs;

use anyhow::{Context as _, Result, ensure};
use nix::sched::{CloneFlags, clone};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, pause};

/// The last pid that was given out in the reader's PID namespace. The next one is higher by one.
const LAST: &str = "/proc/sys/kernel/ns_last_pid";

fn main() -> Result<()> {
    // In a new PID namespace numbers start from 1, and those outside are not touched.
    let child = born(CloneFlags::CLONE_NEWPID, numbers)?;
    let end = waitpid(child, None).context("waitpid()")?;
    ensure!(end == WaitStatus::Exited(child, 0), "the child has failed");
    Ok(())
}

/// What the child does: it has two children of its own.
fn numbers() -> Result<()> {
    let first = born(CloneFlags::empty(), || Ok(()))?;
    println!("the first: {first}, {:?}", waitpid(first, None).context("waitpid()")?);
    println!("kill({first}, SIGTERM): {:?}", kill(first, Signal::SIGTERM));

    // The kernel starts again at the lowest free number when it has reached the highest. Here it is told to.
    fs::write(LAST, (first.as_raw() - 1).to_string()).context("write(ns_last_pid)")?;
    let second = born(CloneFlags::empty(), || {
        pause();
        Ok(())
    })?;
    println!("kill({first}, SIGTERM): {:?}", kill(first, Signal::SIGTERM));
    println!("the second: {second}, {:?}", waitpid(second, None).context("waitpid()")?);
    Ok(())
}

/// Makes a child that runs `work` and ends with status 0, or 1 after an error.
fn born(flags: CloneFlags, mut work: impl FnMut() -> Result<()>) -> Result<Pid> {
    let mut stack = vec![0; 64 * 1024];
    let work = Box::new(move || match work() {
        Ok(()) => 0,
        Err(error) => {
            eprintln!("ch03-number: {error:#}");
            1
        }
    });
    // SAFETY: this process has one thread, and the child runs on a copy of this stack, which is large enough.
    let child = unsafe { clone(work, &mut stack, flags, Some(Signal::SIGCHLD as i32)) };
    child.with_context(|| format!("clone({flags:?})"))
}
