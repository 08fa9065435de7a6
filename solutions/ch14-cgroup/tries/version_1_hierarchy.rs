//! Named: your program gave up
//! Points at: mount("cgroup"
//! A hierarchy with a name, as systemd has one.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, ExitCode};

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
    let (options, rest) = words.split_at(dashes);
    let outcome = match (options, rest) {
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

/// Runs `command` in a new cgroup with these limits, and removes the cgroup afterwards.
fn in_cgroup(
    name: &OsStr,
    limits: &[(&str, &OsStr)],
    command: &OsStr,
    args: &[OsString],
) -> Result<WaitStatus> {
    let cgroup = Path::new(CGROUPS).join(name);
    fs::create_dir(&cgroup).with_context(|| format!("mkdir({cgroup:?})"))?;
    let status = limit(&cgroup, limits).and_then(|()| run(Some(&cgroup), command, args));
    // A cgroup remains when its last process has ended, and after an error, too.
    fs::remove_dir(&cgroup).with_context(|| format!("rmdir({cgroup:?})"))?;
    status
}

/// Sets the limits of a cgroup, each of which is a file and the text to write to it.
fn limit(cgroup: &Path, limits: &[(&str, &OsStr)]) -> Result<()> {
    // They are set from outside, before a process is in the cgroup.
    for (file, limit) in limits {
        let file = cgroup.join(file);
        fs::write(&file, limit.as_encoded_bytes())
            .with_context(|| format!("write({file:?}, {limit:?})"))?;
    }
    Ok(())
}

/// Runs `command` in `cgroup`, or in the current one, and waits for it. It sees its cgroup as `/`.
fn run(cgroup: Option<&Path>, command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        // Only the child moves, because a cgroup with a process in it cannot be removed.
        ForkResult::Child => child(cgroup, command, args),
        ForkResult::Parent { child } => waitpid(child, None).context("waitpid()"),
    }
}

/// Runs in the child and never returns, because the code above is the parent's.
fn child(cgroup: Option<&Path>, command: &OsStr, args: &[OsString]) -> ! {
    if let Err(error) = cgroup.map_or(Ok(()), join).and_then(|()| own_view()) {
        eprintln!("ch14-cgroup: {error:#}");
        exit(1);
    }
    let error = Command::new(command).args(args).exec();
    eprintln!("ch14-cgroup: execve({command:?}): {error}");
    exit(127)
}

/// Ends a child. What its parent has buffered or registered for its own end is not the child's to do.
fn exit(code: i32) -> ! {
    // SAFETY: the call takes an integer, and never returns.
    unsafe { libc::_exit(code) }
}

/// Moves this process into a cgroup.
fn join(cgroup: &Path) -> Result<()> {
    let file = cgroup.join("cgroup.procs");
    // 0 means the process that writes it.
    fs::write(&file, "0").with_context(|| format!("write({file:?}, \"0\")"))
}

/// Makes this process see its current cgroup as `/`, also at `/sys/fs/cgroup`.
fn own_view() -> Result<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS)
        .context("unshare(CLONE_NEWCGROUP | CLONE_NEWNS)")?;
    // If `/` is a shared mount, what follows would propagate to the parent's namespace.
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .context("mount(\"/\", MS_REC | MS_PRIVATE)")?;
    // The old mount shows the view of the process that made it, and the kernel refuses to mount
    // another cgroup2 on top of it.
    umount(CGROUPS).with_context(|| format!("umount({CGROUPS:?})"))?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("cgroup"), CGROUPS, Some("cgroup"), flags, Some("none,name=otter"))
        .with_context(|| format!("mount(\"cgroup2\", {CGROUPS:?})"))
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
