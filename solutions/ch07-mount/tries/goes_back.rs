//! Named: the program goes back before COMMAND
//! The program returns to the lab's mount namespace before it starts COMMAND.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::Result;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [dir, text, dashes, command, args @ ..] if dashes == "--" => {
            run(Path::new(dir), text, command, args)
        }
        _ => {
            eprintln!("usage: ch07-mount DIR TEXT -- COMMAND [ARGS…]");
            ExitCode::from(2)
        }
    }
}

fn run(dir: &Path, text: &OsStr, command: &OsStr, args: &[OsString]) -> ExitCode {
    let all = || -> io::Result<ExitStatus> {
        let before = File::open("/proc/self/ns/mnt")?;
        unshare(CloneFlags::CLONE_NEWNS)?;
        slave()?;
        mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), None::<&str>)?;
        fs::write(dir.join("token"), text.as_bytes())?;
        setns(before, CloneFlags::CLONE_NEWNS)?;
        Command::new(command).args(args).status()
    };
    finish(all())
}

fn finish(result: io::Result<ExitStatus>) -> ExitCode {
    match result {
        Ok(status) => ExitCode::from(status.code().unwrap_or(1) as u8),
        Err(e) => {
            eprintln!("ch07-mount: {e}");
            ExitCode::FAILURE
        }
    }
}

fn slave() -> nix::Result<()> {
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_SLAVE | MsFlags::MS_REC, None::<&str>)
}
