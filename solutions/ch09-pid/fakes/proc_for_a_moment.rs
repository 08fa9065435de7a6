//! Refused by step 3: the new `/proc` propagates to the lab, and is unmounted there before COMMAND starts.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, anyhow};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [dashes, command, args @ ..] if dashes == "--" => run(command, args),
        _ => Err(anyhow!("usage: ch09-pid -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch09-pid: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs `command` as PID 1 of a new PID namespace, and waits for it.
fn run(command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    // This process stays where it is. Its next child is the first process in the
    // new namespace.
    unshare(CloneFlags::CLONE_NEWPID).context("unshare(CLONE_NEWPID)")?;
    let before = device()?;
    let (is_mounted, mounted) = pipe().context("pipe()")?;
    let (may_go, go) = pipe().context("pipe()")?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => {
            drop(is_mounted);
            drop(go);
            child(mounted, may_go, command, args)
        }
        ForkResult::Parent { child } => {
            drop(mounted);
            drop(may_go);
            let tidy = tidy(before, is_mounted);
            if tidy.is_ok() {
                // If the child is dead, its end is reported below.
                _ = (&go).write(b"g");
            }
            drop(go);
            let status = waitpid(child, None).context("waitpid()");
            tidy.and(status)
        }
    }
}

/// The file system on this process's `/proc`.
fn device() -> Result<u64> {
    Ok(fs::metadata("/proc").context("stat(\"/proc\")")?.dev())
}

/// Waits until the child has mounted its `/proc`, and sees to it that this process's is as before.
fn tidy(before: u64, is_mounted: PipeReader) -> Result<()> {
    // Without a byte the child has failed, and has said so.
    _ = (&is_mounted).read(&mut [0]);
    if device()? != before {
        umount2("/proc", MntFlags::MNT_DETACH).context("umount2(\"/proc\", MNT_DETACH)")?;
    }
    Ok(())
}

/// Runs in the child, as PID 1, and never returns, because the code above is the parent's.
fn child(mounted: PipeWriter, may_go: PipeReader, command: &OsStr, args: &[OsString]) -> ! {
    if let Err(error) = mount_proc() {
        eprintln!("ch09-pid: {error:#}");
        exit(1);
    }
    if (&mounted).write(b"m").is_err() || !matches!((&may_go).read(&mut [0]), Ok(1)) {
        exit(1);
    }
    let error = Command::new(command).args(args).exec();
    eprintln!("ch09-pid: execve({command:?}): {error}");
    exit(127)
}

/// Moves this process into a mount namespace of its own, and mounts a `/proc` there that shows this
/// PID namespace.
fn mount_proc() -> Result<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).context("unshare(CLONE_NEWNS)")?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, none)
        .context("mount(\"proc\", \"/proc\")")?;
    // From here on what the parent unmounts stays mounted here.
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .context("mount(\"/\", MS_REC | MS_PRIVATE)")
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
