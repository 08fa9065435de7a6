//! Named: only some of the three are joined
//! The files are opened and joined in a loop, and the list of the loop is too short.

use std::fs::{File, OpenOptions};
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "pin" {
        OpenOptions::new().write(true).create(true).truncate(false).open(&args[3])?;
        let source = format!("/proc/{}/ns/uts", args[2]);
        mount(
            Some(source.as_str()),
            args[3].as_str(),
            None::<&str>,
            MsFlags::MS_BIND,
            None::<&str>,
        )?;
        return Ok(());
    }
    for kind in ["uts", "ipc"] {
        let file = File::open(format!("/proc/{}/ns/{kind}", args[1]))?;
        setns(file, CloneFlags::empty())?;
    }
    let status = Command::new(&args[3]).args(&args[4..]).status()?;
    exit(status.code().unwrap_or(1))
}
