//! Named: a directory instead of a file
//! The mount point is made as for a filesystem, which needs a directory.

use std::fs::File;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    if args[1] == "pin" {
        std::fs::create_dir_all(&args[3])?;
        let source = format!("/proc/{}/ns/uts", args[2]);
        mount(Some(&*source), &*args[3], None::<&str>, MsFlags::MS_BIND, None::<&str>)?;
        return Ok(());
    }
    for kind in ["ipc", "net", "uts"] {
        setns(File::open(format!("/proc/{}/ns/{kind}", args[1]))?, CloneFlags::empty())?;
    }
    exit(Command::new(&args[3]).args(&args[4..]).status()?.code().unwrap_or(1))
}
