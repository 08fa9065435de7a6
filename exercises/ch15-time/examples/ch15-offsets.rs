//! ch15-offsets: which lines `timens_offsets` takes, before unshare(2), after it, and after the first child.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

fn main() -> Result<()> {
    attempt("boottime 5 0");

    unshare(CloneFlags::from_bits_retain(libc::CLONE_NEWTIME)).context("unshare(CLONE_NEWTIME)")?;
    for line in ["boottime 5 0", "realtime 5 0", "boottime 5 2000000000", "boottime -99999999999 0"]
    {
        attempt(line);
    }

    Command::new("true").status().context("execve(\"true\")")?;
    attempt("boottime 6 0");
    Ok(())
}

fn attempt(line: &str) {
    let outcome = match fs::write("/proc/self/timens_offsets", line) {
        Ok(()) => "is taken".to_owned(),
        Err(error) => format!("{:?}", Errno::from_raw(error.raw_os_error().unwrap_or(0))),
    };
    println!("{line}: {outcome}");
}
