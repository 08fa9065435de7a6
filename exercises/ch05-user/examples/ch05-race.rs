//! ch05-race: a child in a new user namespace, and a parent that maps its uid.
//! Neither waits for the other. Each sleeps for as many milliseconds as the
//! command line says: `ch05-race CHILD PARENT`.

use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::time::Duration;
use std::{env, fs, thread};

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, clone};
use nix::sys::wait::waitpid;
use nix::unistd::geteuid;

/// The child's shell prints its uid twice, and in the end its own capabilities.
const SHELL: &str = "echo at first: uid $(id -u)
    sleep 1.8
    echo later: uid $(id -u)
    grep CapEff /proc/$$/status";

fn main() -> Result<()> {
    let (of_child, of_parent) = (delay(1)?, delay(2)?);
    let child = || {
        thread::sleep(of_child);
        let error = Command::new("sh").args(["-c", SHELL]).exec();
        eprintln!("execve(\"sh\"): {error}");
        127
    };
    let mut stack = vec![0; 256 * 1024];
    let flags = CloneFlags::CLONE_NEWUSER;
    // SAFETY: the child has a stack and a copy of the memory for itself, and this
    // process has one thread.
    let pid = unsafe { clone(Box::new(child), &mut stack, flags, Some(libc::SIGCHLD)) }
        .context("clone(CLONE_NEWUSER)")?;

    thread::sleep(of_parent);
    let line = format!("0 {} 1", geteuid());
    fs::write(format!("/proc/{pid}/uid_map"), &line)
        .with_context(|| format!("write(\"/proc/{pid}/uid_map\", {line:?})"))?;
    waitpid(pid, None).context("waitpid()")?;
    Ok(())
}

/// One of the arguments, as milliseconds.
fn delay(index: usize) -> Result<Duration> {
    let word = env::args().nth(index).context("usage: ch05-race CHILD PARENT")?;
    Ok(Duration::from_millis(word.parse().context(word)?))
}
