//! ch04-setns, which also joins everything: `ch04-setns --all PID -- COMMAND [ARGS…]`.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context as _, Result, anyhow};
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};

/// Every kind whose file leads to the namespace that a process is in.
const KINDS: [(&str, CloneFlags); 8] = [
    ("user", CloneFlags::CLONE_NEWUSER),
    ("mnt", CloneFlags::CLONE_NEWNS),
    ("pid", CloneFlags::CLONE_NEWPID),
    ("net", CloneFlags::CLONE_NEWNET),
    ("uts", CloneFlags::CLONE_NEWUTS),
    ("ipc", CloneFlags::CLONE_NEWIPC),
    ("cgroup", CloneFlags::CLONE_NEWCGROUP),
    ("time", CloneFlags::from_bits_retain(libc::CLONE_NEWTIME)),
];

const THREE: CloneFlags =
    CloneFlags::CLONE_NEWUTS.union(CloneFlags::CLONE_NEWIPC).union(CloneFlags::CLONE_NEWNET);

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [all, pid, dashes, command, args @ ..] if all == "--all" && dashes == "--" => {
            number(pid).and_then(|pid| run(pid, differing(pid)?, command, args))
        }
        [pid, dashes, command, args @ ..] if dashes == "--" => {
            number(pid).and_then(|pid| run(pid, THREE, command, args))
        }
        [word, pid, path] if word == "pin" => pin(pid, path).map(|()| 0),
        _ => Err(anyhow!("usage: ch04-setns [--all] PID -- COMMAND [ARGS…], or … pin PID PATH")),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("ch04-setns: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(pid: i32, kinds: CloneFlags, command: &OsStr, args: &[OsString]) -> Result<u8> {
    let target = pidfd_open(pid).context("pidfd_open()")?;
    // The kernel asks for all rights before it moves anything, so the user namespace may be among them.
    setns(&target, kinds).with_context(|| format!("setns(pidfd, {kinds:?})"))?;
    let mut child = Command::new(command);
    child.args(args);
    // Without a closure the library makes the child with CLONE_VM, which a process that has joined a
    // time namespace may not do before Linux 6.3.
    // SAFETY: the closure does nothing.
    unsafe { child.pre_exec(|| Ok(())) };
    // For the PID namespace this fork is needed: the child is in it, and this process never will be.
    let status = child.status();
    status.map(exit_code).with_context(|| format!("execve({command:?})"))
}

/// The kinds in which a process is elsewhere. The own user namespace cannot be joined again (EINVAL).
fn differing(pid: i32) -> Result<CloneFlags> {
    let mut flags = CloneFlags::empty();
    for (name, flag) in KINDS {
        let path = format!("/proc/{pid}/ns/{name}");
        let there = identity(&path).with_context(|| format!("stat({path:?})"))?;
        if identity(&format!("/proc/self/ns/{name}"))? != there {
            flags |= flag;
        }
    }
    Ok(flags)
}

/// Device and inode number, which are the same for the same namespace.
fn identity(path: &str) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

fn pidfd_open(pid: i32) -> nix::Result<OwnedFd> {
    // SAFETY: pidfd_open takes two integers, and nothing else owns the new descriptor.
    unsafe {
        let fd = libc::syscall(libc::SYS_pidfd_open, pid, 0);
        Ok(OwnedFd::from_raw_fd(Errno::result(fd)? as RawFd))
    }
}

fn pin(pid: &OsStr, path: &OsStr) -> Result<()> {
    let namespace = format!("/proc/{}/ns/uts", number(pid)?);
    File::create(path).with_context(|| format!("creat({path:?})"))?;
    let none = None::<&str>;
    mount(Some(namespace.as_str()), path, none, MsFlags::MS_BIND, none)
        .with_context(|| format!("mount({namespace:?}, {path:?}, MS_BIND)"))
}

fn number(pid: &OsStr) -> Result<i32> {
    let number = pid.to_str().and_then(|text| text.parse().ok());
    number.with_context(|| format!("{pid:?} is not a pid"))
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
    code as u8
}
