//! Named: a mount is added to the new root
//! Points at: mount("tmpfs"
//! The new root gets a place for temporary files, which the exercise does not ask for.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};
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

/// Runs `command` with `root` as its root directory, in which `/proc` is mounted and `/share` shows
/// `share`, and waits for it.
fn run(root: &Path, share: &Path, command: &OsStr, args: &[OsString]) -> Result<ExitStatus> {
    leave()?;
    prepare_root(root, share)?;
    change_root(root)?;
    mount(Some("tmpfs"), "/proc/fs", Some("tmpfs"), MsFlags::empty(), None::<&str>)
        .context("mount(tmpfs)")?;
    Command::new(command).args(args).status().with_context(|| format!("execve({command:?})"))
}

/// Moves this process into a mount namespace of its own, whose mounts do not
/// propagate in either direction.
fn leave() -> Result<()> {
    unshare(CloneFlags::CLONE_NEWNS).context("unshare(CLONE_NEWNS)")?;
    // pivot_root(2) refuses to move a root that would propagate to other namespaces.
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    let none = None::<&str>;
    mount(none, "/", none, private, none).context("mount(\"/\", MS_REC | MS_PRIVATE)")
}

/// Makes `root` a mount, and mounts this process's `/proc` in it, and `share`
/// read-only.
fn prepare_root(root: &Path, share: &Path) -> Result<()> {
    // A directory becomes a mount when it is bind-mounted on itself.
    bind(root, root)?;
    bind(Path::new("/proc"), &root.join("proc"))?;
    let target = root.join("share");
    bind(share, &target)?;
    // A bind mount starts with the flags of its source. To change them takes a
    // second call, with all the flags that the mount should have.
    let flags = MsFlags::MS_RDONLY | flags_of(&target)?;
    let remount = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags;
    let none = None::<&str>;
    mount(none, &target, none, remount, none)
        .with_context(|| format!("mount({target:?}, MS_REMOUNT | MS_BIND | MS_RDONLY)"))
}

fn bind(source: &Path, target: &Path) -> Result<()> {
    let none = None::<&str>;
    mount(Some(source), target, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)
        .with_context(|| format!("mount({source:?}, {target:?}, MS_BIND | MS_REC)"))
}

/// The flags that a remount would clear, and may not clear if they are locked.
fn flags_of(target: &Path) -> Result<MsFlags> {
    let has = statvfs(target).with_context(|| format!("statvfs({target:?})"))?.flags();
    let kept = [
        (FsFlags::ST_NOSUID, MsFlags::MS_NOSUID),
        (FsFlags::ST_NODEV, MsFlags::MS_NODEV),
        (FsFlags::ST_NOEXEC, MsFlags::MS_NOEXEC),
    ];
    Ok(kept.into_iter().filter(|(flag, _)| has.contains(*flag)).map(|(_, flag)| flag).collect())
}

/// Makes the mount at `root` this process's root directory, and detaches the
/// old root.
fn change_root(root: &Path) -> Result<()> {
    chdir(root).with_context(|| format!("chdir({root:?})"))?;
    // With one directory for both, the old root is mounted on top of the new one.
    pivot_root(".", ".").context("pivot_root(\".\", \".\")")?;
    // This detaches the old root and everything mounted below it.
    umount2(".", MntFlags::MNT_DETACH).context("umount2(\".\", MNT_DETACH)")?;
    chdir("/").context("chdir(\"/\")")
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
