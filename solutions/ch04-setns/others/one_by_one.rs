//! Three files, opened before the first is joined, in a child; pins with open_tree(2) and move_mount(2).

use std::ffi::{CString, OsStr, OsString};
use std::fs::{File, OpenOptions, remove_file};
use std::os::fd::{AsRawFd as _, RawFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, bail};
use nix::errno::Errno;
use nix::sched::{CloneFlags, setns};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [pid, dashes, command, args @ ..] if dashes == "--" => run(pid, command, args),
        [word, pid, path] if word == "pin" => pin(pid, path).map(|()| 0),
        _ => {
            eprintln!("usage: ch04-setns PID -- COMMAND [ARGS…], or ch04-setns pin PID PATH");
            return ExitCode::from(2);
        }
    };
    ExitCode::from(outcome.unwrap_or_else(|error| {
        eprintln!("sorry: {error:#}");
        1
    }))
}

/// The directory of one process; its files can only mean that process.
fn process(pid: &OsStr) -> Result<File> {
    let number: u32 = pid.to_str().and_then(|pid| pid.parse().ok()).context("not a number")?;
    let path = format!("/proc/{number}");
    File::open(&path).with_context(|| format!("no process {number}"))
}

fn run(pid: &OsStr, command: &OsStr, args: &[OsString]) -> Result<u8> {
    let process = process(pid)?;
    let open = |kind: &str| {
        let path = format!("/proc/self/fd/{}/ns/{kind}", process.as_raw_fd());
        File::open(path).with_context(|| format!("opening its {kind} namespace"))
    };
    let kinds = [
        (open("net")?, CloneFlags::CLONE_NEWNET),
        (open("uts")?, CloneFlags::CLONE_NEWUTS),
        (open("ipc")?, CloneFlags::CLONE_NEWIPC),
    ];
    // SAFETY: one thread.
    let child = match unsafe { fork() }.context("forking")? {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            for (file, flag) in &kinds {
                if let Err(errno) = setns(file, *flag) {
                    eprintln!("cannot enter with {flag:?}: {errno}");
                    exit(1);
                }
            }
            let error = Command::new(command).args(args).exec();
            eprintln!("cannot execute {command:?}: {error}");
            exit(127)
        }
    };
    loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(code as u8),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(128 + signal as u8),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => bail!("waiting: {errno}"),
        }
    }
}

fn pin(pid: &OsStr, path: &OsStr) -> Result<()> {
    let process = process(pid)?;
    let target = CString::new(path.as_bytes())?;
    // OPEN_TREE_CLONE makes a bind mount that is nowhere yet.
    // SAFETY: both paths are C strings.
    let tree = unsafe {
        libc::syscall(
            libc::SYS_open_tree,
            process.as_raw_fd(),
            c"ns/uts".as_ptr(),
            1 | libc::O_CLOEXEC,
        )
    };
    let tree = Errno::result(tree).context("copying the mount of its UTS namespace")? as RawFd;
    let made = OpenOptions::new().write(true).create_new(true).open(path);
    if let Err(error) = &made
        && error.kind() != std::io::ErrorKind::AlreadyExists
    {
        bail!("making {path:?}: {error}");
    }
    // MOVE_MOUNT_F_EMPTY_PATH: the source is the descriptor itself.
    // SAFETY: both paths are C strings.
    let moved = unsafe {
        libc::syscall(
            libc::SYS_move_mount,
            tree,
            c"".as_ptr(),
            libc::AT_FDCWD,
            target.as_ptr(),
            4 as libc::c_uint,
        )
    };
    let moved = Errno::result(moved);
    if moved.is_err() && made.is_ok() {
        _ = remove_file(path);
    }
    moved.map(drop).context("attaching the mount")
}
