//! Named: another mount covers the read-only one
//! SHARE is bound a second time, and that mount is writable.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
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

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
fn run(root: &Path, share: &Path, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    unshare(CloneFlags::CLONE_NEWNS).context("unshare")?;
    private().context("private")?;
    bind(root, root).context("bind root")?;
    bind(share, &root.join("share")).context("bind share")?;
    read_only(&root.join("share")).context("read-only")?;
    bind(share, &root.join("share")).context("bind share")?;
    proc_on(&root.join("proc")).context("proc")?;
    chdir(root)?;
    pivot_root(".", ".").context("pivot_root")?;
    umount2(".", MntFlags::MNT_DETACH).context("umount2")?;
    chdir("/")?;
    Command::new(command).args(args).status().context("execve")
}

fn private() -> nix::Result<()> {
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_PRIVATE | MsFlags::MS_REC, None::<&str>)
}

fn bind(from: &Path, to: &Path) -> nix::Result<()> {
    mount(Some(from), to, None::<&str>, MsFlags::MS_BIND, None::<&str>)
}

fn read_only(at: &Path) -> nix::Result<()> {
    let keep = nix::sys::statvfs::statvfs(at)?.flags().bits() & 0xf;
    let keep = MsFlags::from_bits_truncate(keep as _);
    mount(
        None::<&str>,
        at,
        None::<&str>,
        MsFlags::MS_BIND | MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY | keep,
        None::<&str>,
    )
}

fn proc_on(at: &Path) -> nix::Result<()> {
    mount(Some("/proc"), at, None::<&str>, MsFlags::MS_BIND | MsFlags::MS_REC, None::<&str>)
}
