//! Named: the pin is in a mount namespace of its own
//! To be tidy, the mount is made in a mount namespace of its own.

use std::fs::File;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let none = None::<&str>;
    if args[1] == "pin" {
        unshare(CloneFlags::CLONE_NEWNS)?;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
        File::create(&args[3])?;
        let source = format!("/proc/{}/ns/uts", args[2]);
        mount(Some(&*source), &*args[3], none, MsFlags::MS_BIND, none)?;
        return Ok(());
    }
    for kind in ["uts", "ipc", "net"] {
        setns(File::open(format!("/proc/{}/ns/{kind}", args[1]))?, CloneFlags::empty())?;
    }
    let status = Command::new(&args[3]).args(&args[4..]).status()?;
    exit(status.code().unwrap_or(1))
}
