//! Named: COMMAND starts with signals ignored
//! The signals are ignored in PID 1, so that they do not end it, and COMMAND inherits that.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::process::ExitCode;

use anyhow::Context as _;
use anyhow::{Result, anyhow};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::Signal;
use nix::sys::signal::{SigSet, SigmaskHow, kill};
use nix::sys::wait::*;
use nix::unistd::{ForkResult, Pid, fork};

/// The signals that are passed on to COMMAND.
const PASSED_ON: [Signal; 6] = [
    Signal::SIGHUP,
    Signal::SIGINT,
    Signal::SIGQUIT,
    Signal::SIGTERM,
    Signal::SIGUSR1,
    Signal::SIGUSR2,
];

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [dashes, command, args @ ..] if dashes == "--" => run(command, args),
        _ => Err(anyhow!("usage: ch10-init -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(status as u8),
        Err(error) => {
            eprintln!("ch10-init: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn set() -> SigSet {
    let mut s = SigSet::from_iter(PASSED_ON);
    s.add(Signal::SIGCHLD);
    s
}
fn end(s: i32) -> ! {
    unsafe { libc::_exit(s) }
}
fn spawn(command: &OsStr, args: &[OsString], old: &SigSet) -> Pid {
    match unsafe { fork().unwrap() } {
        ForkResult::Child => {
            old.thread_set_mask().unwrap();
            let e = Command::new(command).args(args).exec();
            eprintln!("{e}");
            end(127)
        }
        ForkResult::Parent { child } => child,
    }
}
fn look(child: Pid, s: &SigSet) -> i32 {
    loop {
        match s.wait().unwrap() {
            Signal::SIGCHLD => loop {
                match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                    Ok(WaitStatus::Exited(p, c)) if p == child => return c,
                    Ok(WaitStatus::Signaled(p, g, _)) if p == child => return 128 + g as i32,
                    Ok(WaitStatus::StillAlive) | Err(_) => break,
                    _ => {}
                }
            },
            g => {
                _ = kill(child, g);
            }
        }
    }
}
fn outer(
    body: impl FnOnce(&SigSet, &SigSet) -> i32,
    look: impl FnOnce(Pid, &SigSet) -> i32,
) -> Result<i32> {
    let s = set();
    let old = s.thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
    unshare(CloneFlags::CLONE_NEWPID).context("unshare")?;
    match unsafe { fork()? } {
        ForkResult::Child => end(body(&s, &old)),
        ForkResult::Parent { child } => Ok(look(child, &s)),
    }
}

fn run(command: &OsStr, args: &[OsString]) -> Result<i32> {
    outer(
        |s, o| {
            for g in PASSED_ON {
                unsafe {
                    nix::sys::signal::signal(g, nix::sys::signal::SigHandler::SigIgn).unwrap();
                }
            }
            look(spawn(command, args, o), s)
        },
        look,
    )
}
