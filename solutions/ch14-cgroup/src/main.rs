//! ch14-cgroup, solved.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, anyhow};
use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

/// Where the cgroups of version 2 are mounted.
const CGROUPS: &str = "/sys/fs/cgroup";

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let (ours, commands) = words.split_at(dashes);
    let outcome = match (ours, commands) {
        ([], [_, command, args @ ..]) => run(None, command, args),
        ([name], [_, command, args @ ..]) => in_cgroup(name, &[], command, args),
        ([name, pids, memory], [_, command, args @ ..]) => {
            let limits = [("pids.max", pids.as_os_str()), ("memory.max", memory.as_os_str())];
            in_cgroup(name, &limits, command, args)
        }
        _ => Err(anyhow!("usage: ch14-cgroup [CGROUP [PIDS MEMORY]] -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch14-cgroup: {error:#}");
            ExitCode::FAILURE
        }
    }
}

// ANCHOR: in_cgroup
/// Runs `command` in a new cgroup with these limits, which is gone afterwards.
fn in_cgroup(
    name: &OsStr,
    limits: &[(&str, &OsStr)],
    command: &OsStr,
    args: &[OsString],
) -> Result<WaitStatus> {
    let cgroup = make(name, limits)?;
    let status = run(Some(&cgroup), command, args);
    // It does not go with its last process.
    fs::remove_dir(&cgroup).with_context(|| format!("rmdir({cgroup:?})"))?;
    status
}
// ANCHOR_END: in_cgroup

// ANCHOR: make
/// Makes a cgroup and sets its limits: each is a file and what to write to it.
fn make(name: &OsStr, limits: &[(&str, &OsStr)]) -> Result<PathBuf> {
    let cgroup = Path::new(CGROUPS).join(name);
    fs::create_dir(&cgroup).with_context(|| format!("mkdir({cgroup:?})"))?;
    // From out here, before anybody is in there.
    for (file, limit) in limits {
        let file = cgroup.join(file);
        fs::write(&file, limit.as_encoded_bytes())
            .with_context(|| format!("write({file:?}, {limit:?})"))?;
    }
    Ok(cgroup)
}
// ANCHOR_END: make

// ANCHOR: run
/// Runs `command` in the cgroup, or in ours, and waits for it. It sees that cgroup as `/`.
fn run(cgroup: Option<&Path>, command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        // Only the child goes in. A cgroup with somebody in it cannot be removed.
        ForkResult::Child => child(cgroup, command, args),
        ForkResult::Parent { child } => waitpid(child, None).context("waitpid()"),
    }
}
// ANCHOR_END: run

// ANCHOR: child
/// The child's whole life. It never returns: the code above is the parent's.
fn child(cgroup: Option<&Path>, command: &OsStr, args: &[OsString]) -> ! {
    if let Err(error) = cgroup.map_or(Ok(()), join).and_then(|()| own_view()) {
        eprintln!("ch14-cgroup: {error:#}");
        exit(1);
    }
    let error = Command::new(command).args(args).exec();
    eprintln!("ch14-cgroup: execve({command:?}): {error}");
    exit(127)
}
// ANCHOR_END: child

// ANCHOR: join
/// Moves this process into a cgroup.
fn join(cgroup: &Path) -> Result<()> {
    let file = cgroup.join("cgroup.procs");
    // 0 is whoever writes it.
    fs::write(&file, "0").with_context(|| format!("write({file:?}, \"0\")"))
}
// ANCHOR_END: join

// ANCHOR: own_view
/// Makes the cgroup that this process is in its `/`, and shows that at `/sys/fs/cgroup`.
fn own_view() -> Result<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS)
        .context("unshare(CLONE_NEWCGROUP | CLONE_NEWNS)")?;
    // Where `/` is shared, the next mount would find its way out.
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .context("mount(\"/\", MS_REC | MS_PRIVATE)")?;
    // The old one shows where its mounter was, and the kernel would not have another on top of it.
    umount(CGROUPS).with_context(|| format!("umount({CGROUPS:?})"))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("cgroup2"), CGROUPS, Some("cgroup2"), flags, none)
        .with_context(|| format!("mount(\"cgroup2\", {CGROUPS:?})"))
}
// ANCHOR_END: own_view

/// The shell's convention: the exit status, or 128 and the signal's number.
fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
