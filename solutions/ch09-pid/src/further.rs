//! ch09-pid, which also runs a second command beside PID 1: `--and -- COMMAND [ARGS…]`.

use std::ffi::OsString;
use std::fs::File;
use std::io::{PipeReader, PipeWriter, Read as _, Write as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{ForkResult, Pid, fork};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match run(&words) {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch09-pid: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// A program and its arguments.
type Words<'a> = (&'a OsString, &'a [OsString]);

/// Runs the first command as PID 1, and the second beside it. Returns the end of the first.
fn run(words: &[OsString]) -> Result<WaitStatus> {
    let commands = words.split(|word| word == "--and").map(|words| match words {
        [dashes, command, args @ ..] if dashes == "--" => Some((command, args)),
        _ => None,
    });
    let commands: Option<Vec<_>> = commands.collect();
    let commands = commands.filter(|commands| commands.len() <= 2);
    let commands = commands
        .ok_or_else(|| anyhow!("usage: ch09-pid -- COMMAND [ARGS…] [--and -- COMMAND [ARGS…]]"))?;
    unshare(CloneFlags::CLONE_NEWPID).context("unshare(CLONE_NEWPID)")?;
    // An exec closes the child's end, and so does the child's end.
    let (is_ready, failed) = pipe().context("pipe()")?;
    // SAFETY: this process has one thread.
    let pid_1 = match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => become_first(commands[0], failed),
        ForkResult::Parent { child } => child,
    };
    drop(failed);
    let second = match commands.get(1) {
        Some(second) => start_second(pid_1, is_ready, *second),
        None => Ok(()),
    };
    let end = wait_for_all(pid_1);
    second.and(end)
}

/// Runs in the first child.
fn become_first((command, args): Words, mut failed: PipeWriter) -> ! {
    if let Err(error) = mount_proc() {
        eprintln!("ch09-pid: {error:#}");
        _ = failed.write(b"f");
        exit(1);
    }
    let error = Command::new(command).args(args).exec();
    eprintln!("ch09-pid: execve({command:?}): {error}");
    _ = failed.write(b"f");
    exit(127)
}

/// Starts the second command when PID 1 has its `/proc` and is the first command. If PID 1 has failed, its
/// end says why.
fn start_second(pid_1: Pid, mut is_ready: PipeReader, command: Words) -> Result<()> {
    if is_ready.read(&mut [0]).context("read()")? > 0 {
        return Ok(());
    }
    let path = format!("/proc/{pid_1}/ns/mnt");
    let mounts = File::open(&path).with_context(|| format!("open({path:?})"))?;
    // This process's children are still born in the new PID namespace.
    // SAFETY: this process has one thread.
    match unsafe { fork() }.context("fork()")? {
        ForkResult::Child => become_second(&mounts, command),
        ForkResult::Parent { .. } => Ok(()),
    }
}

/// Runs in the second child.
fn become_second(mounts: &File, (command, args): Words) -> ! {
    let error = match setns(mounts, CloneFlags::CLONE_NEWNS) {
        Ok(()) => Command::new(command).args(args).exec(),
        Err(errno) => errno.into(),
    };
    eprintln!("ch09-pid: setns(), execve({command:?}): {error}");
    exit(127)
}

/// Waits for both. PID 1's end kills the second, and is not complete before the second has been waited for.
fn wait_for_all(pid_1: Pid) -> Result<WaitStatus> {
    let mut end = None;
    loop {
        match wait() {
            Ok(status) if status.pid() == Some(pid_1) => end = Some(status),
            Ok(_) => {}
            Err(Errno::ECHILD) => return end.context("wait(): PID 1 is not this process's child"),
            Err(errno) => return Err(errno).context("wait()"),
        }
    }
}

fn exit(code: i32) -> ! {
    // SAFETY: the call takes an integer, and never returns.
    unsafe { libc::_exit(code) }
}

/// A `/proc` that shows this PID namespace, in a mount namespace of this process's own.
fn mount_proc() -> Result<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).context("unshare(CLONE_NEWNS)")?;
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
