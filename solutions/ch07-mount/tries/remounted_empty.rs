//! Named: there is no file `token`
//! The tmpfs with the file is unmounted, and another one takes its place.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;

use anyhow::Context as _;
use nix::mount::{MsFlags, mount, umount};
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

const N: Option<&str> = None;
fn ok(r: anyhow::Result<u8>) -> ExitCode {
    match r {
        Ok(c) => ExitCode::from(c),
        Err(e) => {
            eprintln!("ch07-mount: {e:#}");
            ExitCode::FAILURE
        }
    }
}
fn start(command: &OsStr, args: &[OsString]) -> anyhow::Result<u8> {
    Ok(Command::new(command).args(args).status()?.code().unwrap_or(1) as u8)
}
fn leave() -> anyhow::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("unshare")?;
    mount(N, "/", N, MsFlags::MS_REC | MsFlags::MS_SLAVE, N).context("mount slave")
}
fn tmpfs(dir: &Path) -> anyhow::Result<()> {
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), N).context("mount tmpfs")
}

fn run(dir: &Path, text: &OsStr, command: &OsStr, args: &[OsString]) -> ExitCode {
    ok((|| {
        leave()?;
        tmpfs(dir)?;
        std::fs::write(dir.join("token"), text.as_encoded_bytes())?;
        umount(dir)?;
        tmpfs(dir)?;
        start(command, args)
    })())
}
