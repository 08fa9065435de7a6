//! Named: your program gave up
//! Points at: mount(*MS_BIND*
//! MS_BIND "as well", and no source, because a change of propagation needs none. EINVAL.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

const NONE: Option<&str> = None;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dir = words[0].as_str();
    unshare(CloneFlags::CLONE_NEWNS)?;
    let flags = MsFlags::MS_REC | MsFlags::MS_BIND | MsFlags::MS_SLAVE;
    mount(NONE, "/", NONE, flags, NONE)?;
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), NONE)?;
    std::fs::write(format!("{dir}/token"), &words[1])?;
    Err(Command::new(&words[3]).args(&words[4..]).exec().into())
}
