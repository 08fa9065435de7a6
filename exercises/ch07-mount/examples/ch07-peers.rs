//! ch07-peers: a thread mounts in a namespace of its own, once on a shared mount and once on a private one.

use std::{fs, thread};

use anyhow::{Context as _, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const STAGE: &str = "/run/stage";

fn main() -> Result<()> {
    for name in ["open", "closed"] {
        fs::create_dir_all(format!("{STAGE}/{name}"))?;
    }
    // The directory becomes a mount of its own, and only that mount is shared.
    bind(STAGE, STAGE)?;
    propagation(MsFlags::MS_SHARED)?;
    let inside = thread::spawn(in_a_copy).join().expect("the thread does not panic")?;
    println!("the thread's list:{inside}");
    println!("the main thread's:{}", mounts_on_stage()?);
    Ok(())
}

/// In the thread: leaves, mounts twice, and reads its own list.
fn in_a_copy() -> Result<String> {
    unshare(CloneFlags::CLONE_NEWNS).context("unshare()")?;
    bind("/tmp", &format!("{STAGE}/open"))?;
    propagation(MsFlags::MS_PRIVATE)?;
    bind("/tmp", &format!("{STAGE}/closed"))?;
    mounts_on_stage()
}

/// Makes the directory `what` appear at `place` as well.
fn bind(what: &str, place: &str) -> Result<()> {
    mount(Some(what), place, None::<&str>, MsFlags::MS_BIND, None::<&str>)
        .with_context(|| format!("mount({what:?}, {place:?}, MS_BIND)"))
}

/// Changes the propagation of the one mount at `STAGE`, in the caller's namespace.
fn propagation(kind: MsFlags) -> Result<()> {
    let nothing = None::<&str>;
    mount(nothing, STAGE, nothing, kind, nothing).with_context(|| format!("mount({kind:?})"))
}

/// The names below `STAGE` on which the calling thread's list has a mount.
fn mounts_on_stage() -> Result<String> {
    let list = fs::read_to_string("/proc/thread-self/mountinfo").context("open()")?;
    let points = list.lines().filter_map(|line| line.split(' ').nth(4));
    let names = points.filter_map(|point| point.strip_prefix(STAGE)?.strip_prefix('/'));
    Ok(names.map(|name| format!(" {name}")).collect())
}
