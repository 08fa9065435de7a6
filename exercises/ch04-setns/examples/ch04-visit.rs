//! ch04-visit PID: reads the host name in another process's UTS namespace, and comes back.

use std::env;
use std::fs::{self, File};

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, setns};

fn main() -> Result<()> {
    let pid = env::args().nth(1).context("usage: ch04-visit PID")?;
    let there = open(&format!("/proc/{pid}/ns/uts"))?;
    // Opened before the move, because this path leads to where its reader is.
    let home = open("/proc/self/ns/uts")?;

    println!("home: {}", host_name()?);
    setns(&there, CloneFlags::CLONE_NEWUTS).context("setns(there, CLONE_NEWUTS)")?;
    println!("there: {}", host_name()?);
    setns(&home, CloneFlags::CLONE_NEWUTS).context("setns(home, CLONE_NEWUTS)")?;
    println!("home again: {}", host_name()?);
    Ok(())
}

fn open(path: &str) -> Result<File> {
    File::open(path).with_context(|| format!("open({path:?})"))
}

fn host_name() -> Result<String> {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").context("read(hostname)")?;
    Ok(name.trim_end().to_owned())
}
