//! Named: the paths of the mount are exchanged
//! mount(2) is given PATH first and the namespace second.

use std::fs::File;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let none = None::<&str>;
    if args[1] == "pin" {
        File::create(&args[3])?;
        let namespace = format!("/proc/{}/ns/uts", args[2]);
        mount(Some(args[3].as_str()), namespace.as_str(), none, MsFlags::MS_BIND, none)?;
        return Ok(());
    }
    for kind in ["uts", "ipc", "net"] {
        setns(File::open(format!("/proc/{}/ns/{kind}", args[1]))?, CloneFlags::empty())?;
    }
    exit(Command::new(&args[3]).args(&args[4..]).status()?.code().unwrap_or(1))
}
