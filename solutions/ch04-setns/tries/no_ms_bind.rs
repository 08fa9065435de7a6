//! Named: MS_BIND is missing
//! mount(2) is called as for a filesystem, and there is no type.

use std::fs::File;
use std::process::{Command, exit};

use anyhow::{Context, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "pin" {
        File::create(&args[3]).context("create")?;
        let from = format!("/proc/{}/ns/uts", args[2]);
        return mount(Some(&from[..]), &args[3][..], None::<&str>, MsFlags::empty(), None::<&str>)
            .context("mount");
    }
    for (kind, flag) in [
        ("ipc", CloneFlags::CLONE_NEWIPC),
        ("uts", CloneFlags::CLONE_NEWUTS),
        ("net", CloneFlags::CLONE_NEWNET),
    ] {
        let file = File::open(format!("/proc/{}/ns/{kind}", args[1])).context("open")?;
        setns(file, flag).context("setns")?;
    }
    exit(Command::new(&args[3]).args(&args[4..]).status().context("exec")?.code().unwrap_or(1))
}
