//! Named: only a mount below / is changed
//! Only the new mount becomes a slave, when it has got out already.

use std::ffi::{OsStr, OsString};
use std::fs::{self};
use std::io::{self};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::Result;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

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
    finish((|| {
        unshare(CloneFlags::CLONE_NEWNS)?;
        mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), None::<&str>)?;
        mount(None::<&str>, dir, None::<&str>, MsFlags::MS_SLAVE | MsFlags::MS_REC, None::<&str>)?;
        fs::write(dir.join("token"), text.as_bytes())?;
        Command::new(command).args(args).status()
    })())
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
