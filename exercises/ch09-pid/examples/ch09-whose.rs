//! ch09-whose: a PID 1 that reads another namespace's /proc, and finds another process under its own number.

use std::process::Command;

use anyhow::{Context as _, Result};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::getpid;

/// The first word of `/proc/self/stat` is the reader's number in the PID namespace that this `/proc` shows.
const CHILD: &str = r#"
    echo "the child: I am $$, and my parent is $PPID"
    read -r own rest < /proc/self/stat
    read -r other < "/proc/$$/comm"
    echo "its /proc: you are $own, and $$ is $other"
"#;

fn main() -> Result<()> {
    let before = getpid();
    unshare(CloneFlags::CLONE_NEWPID).context("unshare(CLONE_NEWPID)")?;
    println!("the caller: I was {before}, and I am {}", getpid());

    // This child is the first one after the call.
    let mut child = Command::new("sh").args(["-c", CHILD]).spawn().context("execve(\"sh\")")?;
    child.wait().context("waitpid()")?;
    println!("the caller: my child was {}", child.id());

    match Command::new("true").status() {
        Ok(_) => println!("the caller: I have had a second child"),
        Err(error) => println!("the caller: a second child: {error}"),
    }
    Ok(())
}
