//! ch02-domain: the other name in a UTS namespace, read from both sides of unshare(2).

use std::fs;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

/// A read returns the name in the reader's own UTS namespace.
const DOMAIN: &str = "/proc/sys/kernel/domainname";

fn main() -> Result<()> {
    // This child exists before the call. It reads the name when its input ends.
    let mut older = Command::new("sh")
        .args(["-c", &format!("read -r _; echo \"the older child: $(cat {DOMAIN})\"")])
        .stdin(Stdio::piped())
        .spawn()
        .context("execve(\"sh\")")?;
    print!("before: {}", fs::read_to_string(DOMAIN)?);

    unshare(CloneFlags::CLONE_NEWUTS).context("unshare(CLONE_NEWUTS)")?;
    print!("after the call: {}", fs::read_to_string(DOMAIN)?);
    set_domain_name("burrow").context("setdomainname(\"burrow\")")?;
    print!("renamed: {}", fs::read_to_string(DOMAIN)?);

    drop(older.stdin.take());
    older.wait().context("waitpid()")?;
    Ok(())
}

/// setdomainname(2), which nix does not wrap.
fn set_domain_name(name: &str) -> nix::Result<()> {
    // SAFETY: the kernel reads `name.len()` bytes from the pointer, and keeps neither.
    let result = unsafe { libc::setdomainname(name.as_ptr().cast(), name.len()) };
    Errno::result(result).map(drop)
}
