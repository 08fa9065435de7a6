//! Named: nothing
//! Copies of SHARE's files are shown in its place.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::process::{ExitCode, ExitStatus};

use anyhow::Context as _;
use anyhow::{Result, anyhow};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [root, share, dashes, command, args @ ..] if dashes == "--" => {
            run(Path::new(root), Path::new(share), command, args)
        }
        _ => Err(anyhow!("usage: ch08-root ROOT SHARE -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch08-root: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}

const N: Option<&str> = None;
fn leave() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("unshare")?;
    mount(N, "/", N, MsFlags::MS_REC | MsFlags::MS_PRIVATE, N).context("mount private")
}
fn bind(s: &Path, t: &Path) -> Result<()> {
    mount(Some(s), t, N, MsFlags::MS_BIND | MsFlags::MS_REC, N)
        .with_context(|| format!("bind {s:?} {t:?}"))
}
fn ro(t: &Path) -> Result<()> {
    use nix::sys::statvfs::*;
    let has = statvfs(t)?.flags();
    let mut f = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    for (a, b) in [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
    ] {
        if has.contains(a) {
            f |= b
        }
    }
    mount(N, t, N, f, N).context("remount ro")
}
fn pivot(root: &Path) -> Result<()> {
    chdir(root)?;
    pivot_root(".", ".").context("pivot_root")?;
    umount2(".", MntFlags::MNT_DETACH).context("umount2")?;
    chdir("/").context("chdir")
}
fn start(c: &OsStr, a: &[OsString]) -> Result<ExitStatus> {
    Command::new(c).args(a).status().context("exec")
}

fn run(root: &Path, share: &Path, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    leave()?;
    bind(root, root)?;
    bind(Path::new("/proc"), &root.join("proc"))?;
    let t = root.join("share");
    mount(Some("tmpfs"), &t, Some("tmpfs"), MsFlags::empty(), N)?;
    for e in std::fs::read_dir(share)? {
        let e = e?;
        if e.file_type()?.is_file() {
            std::fs::copy(e.path(), t.join(e.file_name()))?;
        }
    }
    ro(&t)?;
    pivot(root)?;
    start(command, args)
}
