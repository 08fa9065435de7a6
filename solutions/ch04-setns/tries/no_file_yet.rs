//! Named: there is no file to mount on
//! The mount is tried at once, on a path where nothing is.

use std::fs::File;
use std::process::{Command, exit};

use anyhow::Context;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "pin" {
        let source = format!("/proc/{}/ns/uts", args[2]);
        return mount(Some(&*source), &*args[3], None::<&str>, MsFlags::MS_BIND, None::<&str>)
            .context("cannot pin");
    }
    for kind in ["ipc", "net", "uts"] {
        setns(File::open(format!("/proc/{}/ns/{kind}", args[1]))?, CloneFlags::empty())?;
    }
    exit(Command::new(&args[3]).args(&args[4..]).status()?.code().unwrap_or(1))
}
