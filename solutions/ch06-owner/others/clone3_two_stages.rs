//! clone3(2) makes only the user namespace; the child is mapped by its parent, and then unshares the rest.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode, exit};

use anyhow::{Context as _, Result, bail, ensure};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, getegid, geteuid, sethostname};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, command, args),
        _ => Err(anyhow::anyhow!("usage: ch06-owner NAME -- COMMAND [ARGS…]")),
    };
    ExitCode::from(outcome.unwrap_or_else(|error| {
        eprintln!("that did not work: {error:#}");
        1
    }))
}

fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> Result<u8> {
    // An eventfd, on which the child waits for a number: 1 to go on, 2 to give up.
    // SAFETY: eventfd takes integers.
    let event = Errno::result(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC) }).context("eventfd")?;
    // SAFETY: zero means "not requested" in every field.
    let mut request: libc::clone_args = unsafe { std::mem::zeroed() };
    request.flags = libc::CLONE_NEWUSER as u64;
    request.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: no stack of its own, and one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const request, size_of_val(&request)) };
    let pid = Errno::result(pid).context("clone3 with a user namespace")?;
    if pid == 0 {
        // Should the parent die before it has written, no process would.
        // SAFETY: integers.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL, 0, 0, 0) };
        let error = match inside(event, name) {
            Ok(()) => {
                // SAFETY: integers.
                unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, 0, 0, 0, 0) };
                anyhow::Error::from(Command::new(command).args(args).exec())
            }
            Err(error) => error,
        };
        eprintln!("in the child: {error:#}");
        exit(127)
    }
    let pid = Pid::from_raw(pid as i32);
    let mapped = map(pid);
    let number: u64 = if mapped.is_ok() { 1 } else { 2 };
    // SAFETY: eight bytes.
    let told = unsafe { libc::write(event, (&raw const number).cast(), 8) };
    assert_eq!(told, 8, "an eventfd takes eight bytes");
    let status = loop {
        match waitpid(pid, None) {
            Ok(WaitStatus::Exited(_, code)) => break code as u8,
            Ok(WaitStatus::Signaled(_, signal, _)) => break 128 + signal as u8,
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => bail!("waitpid: {errno}"),
        }
    };
    mapped.map(|()| status)
}

fn map(pid: Pid) -> Result<()> {
    for (file, text) in [
        ("uid_map", format!("0 {} 1", geteuid())),
        ("setgroups", "deny".to_owned()),
        ("gid_map", format!("0 {} 1", getegid())),
    ] {
        fs::write(format!("/proc/{pid}/{file}"), text).context(file)?;
    }
    Ok(())
}

fn inside(event: i32, name: &OsStr) -> Result<()> {
    let mut number = 0u64;
    // SAFETY: eight bytes.
    let read = unsafe { libc::read(event, (&raw mut number).cast(), 8) };
    ensure!(read == 8 && number == 1, "my parent could not write the maps");
    // One after the other. The owner is the user namespace that this process is in.
    for flag in [CloneFlags::CLONE_NEWUTS, CloneFlags::CLONE_NEWIPC, CloneFlags::CLONE_NEWNET] {
        unshare(flag).with_context(|| format!("unshare {flag:?}"))?;
    }
    sethostname(name).context("sethostname")
}
