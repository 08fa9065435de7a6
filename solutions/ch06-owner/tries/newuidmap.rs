//! Named: nothing
//! Points at: execve(*newuidmap*
//! A program is to write the maps that is not installed.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::process::ExitCode;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::{getegid, geteuid, sethostname};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, command, args),
        _ => {
            eprintln!("usage: ch06-owner NAME -- COMMAND [ARGS…]");
            ExitCode::from(2)
        }
    }
}

const ALL: CloneFlags = CloneFlags::CLONE_NEWUSER
    .union(CloneFlags::CLONE_NEWNET)
    .union(CloneFlags::CLONE_NEWUTS)
    .union(CloneFlags::CLONE_NEWIPC);
fn ok(r: anyhow::Result<u8>) -> ExitCode {
    match r {
        Ok(c) => ExitCode::from(c),
        Err(e) => {
            eprintln!("ch06-owner: {e:#}");
            ExitCode::FAILURE
        }
    }
}
fn start(command: &OsStr, args: &[OsString]) -> anyhow::Result<u8> {
    Ok(Command::new(command).args(args).status()?.code().unwrap_or(1) as u8)
}

fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> ExitCode {
    ok((|| {
        let (u, g) = (geteuid().to_string(), getegid().to_string());
        unshare(ALL)?;
        let me = std::process::id().to_string();
        Command::new("newuidmap").args([&me, "0", &u, "1"]).status()?;
        Command::new("newgidmap").args([&me, "0", &g, "1"]).status()?;
        sethostname(name)?;
        start(command, args)
    })())
}
