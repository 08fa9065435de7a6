//! Named: nothing
//! Points at: write(*uid_map*
//! The files are opened before unshare(2), so they are written with the rights of that moment.

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
fn put(f: &str, t: &str) -> anyhow::Result<()> {
    use anyhow::Context as _;
    std::fs::write(format!("/proc/self/{f}"), t).with_context(|| format!("write {f} {t:?}"))
}
fn start(command: &OsStr, args: &[OsString]) -> anyhow::Result<u8> {
    Ok(Command::new(command).args(args).status()?.code().unwrap_or(1) as u8)
}

fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> ExitCode {
    use std::io::Write as _;
    ok((|| {
        let (u, g) = (geteuid(), getegid());
        let open =
            |f: &str| std::fs::OpenOptions::new().write(true).open(format!("/proc/self/{f}"));
        let (mut um, mut gm) = (open("uid_map")?, open("gid_map")?);
        unshare(ALL)?;
        put("setgroups", "deny")?;
        um.write_all(format!("0 {u} 1").as_bytes())?;
        gm.write_all(format!("0 {g} 1").as_bytes())?;
        sethostname(name)?;
        start(command, args)
    })())
}
