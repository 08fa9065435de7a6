//! Named: PID 1 ends too early
//! PID 1 makes COMMAND and has done its work.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [dashes, command, args @ ..] if dashes == "--" => run(command, args),
        _ => {
            eprintln!("usage: ch09-pid -- COMMAND [ARGS…]");
            ExitCode::from(2)
        }
    }
}

/// Runs `command` with `args` as PID 1 of a new PID namespace, with a `/proc` that shows this namespace.
/// Returns its exit status.
fn run(command: &OsStr, args: &[OsString]) -> ExitCode {
    match ended(command, args) {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch09-pid: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// How the child ended that was to become COMMAND.
fn ended(command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    // This process stays where it is. Its next child is the first process in the
    // new namespace.
    unshare(CloneFlags::CLONE_NEWPID).context("unshare(CLONE_NEWPID)")?;
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        // SAFETY: one thread.
        ForkResult::Child => match unsafe { fork() }.unwrap() {
            ForkResult::Child => child(command, args),
            ForkResult::Parent { .. } => exit(0),
        },
        ForkResult::Parent { child } => waitpid(child, None).context("waitpid()"),
    }
}

/// Runs in the child, as PID 1, and never returns, because the code above is the parent's.
fn child(command: &OsStr, args: &[OsString]) -> ! {
    if let Err(error) = mount_proc() {
        eprintln!("ch09-pid: {error:#}");
        exit(1);
    }
    let error = Command::new(command).args(args).exec();
    eprintln!("ch09-pid: execve({command:?}): {error}");
    exit(127)
}

/// Ends the child. What the parent has buffered or registered for its own end is not the child's to do.
fn exit(code: i32) -> ! {
    // SAFETY: the call takes an integer, and never returns.
    unsafe { libc::_exit(code) }
}

/// Moves this process into a mount namespace of its own, and mounts a `/proc` there that shows this
/// PID namespace.
fn mount_proc() -> Result<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).context("unshare(CLONE_NEWNS)")?;
    // If `/` is a shared mount, the mount below would propagate to the parent's
    // namespace.
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)
        .context("mount(\"/\", MS_REC | MS_PRIVATE)")?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "/proc", Some("proc"), flags, none).context("mount(\"proc\", \"/proc\")")
}

/// The shell's convention: the exit status, or 128 plus the signal's number.
fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
