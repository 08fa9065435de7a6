//! ch15-exec: which clock a process reads after unshare(2), and after it has executed a program.

use std::env;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, unshare};

fn main() -> Result<()> {
    // The second time it runs, the program finds the first uptime in its environment.
    if let Ok(start) = env::var("START") {
        return report("after execve", start.parse()?);
    }
    let start = uptime()?;

    // nix has no name for this flag, and `from_bits_retain` keeps it all the same.
    unshare(CloneFlags::from_bits_retain(libc::CLONE_NEWTIME)).context("unshare(CLONE_NEWTIME)")?;
    fs::write("/proc/self/timens_offsets", "boottime 864000 0").context("write(timens_offsets)")?;
    report("after unshare", start)?;

    // No child: this process itself executes a program, which is the same one once more.
    let error = Command::new("/proc/self/exe").env("START", start.to_string()).exec();
    Err(error).context("execve(\"/proc/self/exe\")")
}

/// Prints by how many days the clock is ahead, and in which time namespace this process is.
fn report(when: &str, start: f64) -> Result<()> {
    let ahead = (uptime()? - start) / 86400.0;
    let [own, children] = ["time", "time_for_children"].map(|name| {
        fs::read_link(format!("/proc/self/ns/{name}")).with_context(|| format!("readlink({name})"))
    });
    println!("{when}: {ahead:.0} days, {}, children {}", own?.display(), children?.display());
    Ok(())
}

/// The seconds since boot, by this process's clock.
fn uptime() -> Result<f64> {
    let text = fs::read_to_string("/proc/uptime").context("read(\"/proc/uptime\")")?;
    Ok(text.split(' ').next().unwrap_or_default().parse()?)
}
