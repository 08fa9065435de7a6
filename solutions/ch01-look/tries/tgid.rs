//! Named: a thread is taken for its process
//! The number is looked up in `status` first, and what is compared are the processes.

use std::fs;

use anyhow::{Context, Result};

fn process(id: &str) -> Result<String> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("Tgid:")).context("no Tgid")?;
    Ok(line.trim().to_string())
}

fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let one = process(&args.next().context("first pid")?)?;
    let two = process(&args.next().context("second pid")?)?;
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let a = fs::canonicalize(format!("/proc/{one}/ns"))
            .and_then(|p| fs::read_link(p.join(kind)))?;
        let b = fs::canonicalize(format!("/proc/{two}/ns"))
            .and_then(|p| fs::read_link(p.join(kind)))?;
        println!("{kind} {}", if a == b { "same" } else { "other" });
    }
    Ok(())
}
