//! ch08-root, which passes no descriptor on, and with `--read-only` has no mount that can be written to.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{chdir, pivot_root};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let (read_only, words) = match words.split_first() {
        Some((first, rest)) if first == "--read-only" => (true, rest),
        _ => (false, words.as_slice()),
    };
    match words {
        [root, share, dashes, command, args @ ..] if dashes == "--" => {
            run(read_only, [Path::new(root), Path::new(share)], command, args)
        }
        _ => {
            eprintln!("usage: ch08-root [--read-only] ROOT SHARE -- COMMAND [ARGS…]");
            ExitCode::from(2)
        }
    }
}

/// Runs `command` with `root` as its root directory, in which `/proc` is mounted and `/share` shows
/// `share`. Returns its exit status.
fn run(read_only: bool, paths: [&Path; 2], command: &OsStr, args: &[OsString]) -> ExitCode {
    match ended(read_only, paths, command, args) {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch08-root: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// COMMAND's end. After an error COMMAND is not started.
fn ended(
    read_only: bool,
    [root, share]: [&Path; 2],
    command: &OsStr,
    args: &[OsString],
) -> Result<ExitStatus> {
    leave()?;
    prepare_root(root, share)?;
    change_root(root)?;
    if read_only {
        every_mount_read_only()?;
    }
    // What this process has inherited, COMMAND would inherit.
    // SAFETY: three integers, and nothing of this process owns a descriptor above the first three.
    Errno::result(unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) })
        .context("close_range(3)")?;
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
    remount_read_only(&target)
}

/// Makes each mount of this namespace read-only. After the change of the root there are no others.
fn every_mount_read_only() -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("open(\"mountinfo\")")?;
    for mount in mounts.lines() {
        let point = mount.split(' ').nth(4).context("a line without a mount point")?;
        remount_read_only(Path::new(&point.replace("\\040", " ")))?;
    }
    Ok(())
}

/// A remount changes one mount, and sets all of its flags.
fn remount_read_only(target: &Path) -> Result<()> {
    let flags = MsFlags::MS_RDONLY | flags_of(target)?;
    let remount = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | flags;
    let none = None::<&str>;
    mount(none, target, none, remount, none)
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
