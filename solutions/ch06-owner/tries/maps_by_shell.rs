//! Named: nothing
//! Points at: execve(*sh*
//! A shell is to write the maps of its parent. It has lost its capabilities by then.

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
        let (u, g) = (geteuid(), getegid());
        unshare(ALL)?;
        let s = Command::new("sh").arg("-c").arg(format!("echo deny > /proc/$PPID/setgroups; echo '0 {u} 1' > /proc/$PPID/uid_map; echo '0 {g} 1' > /proc/$PPID/gid_map")).status()?;
        anyhow::ensure!(s.success(), "sh failed");
        sethostname(name)?;
        start(command, args)
    })())
}
