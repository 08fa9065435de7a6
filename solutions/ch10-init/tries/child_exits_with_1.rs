//! Named: a failed exec has the status of another error
//! The child ends by itself, with the status of any other error.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use anyhow::{Result, anyhow};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

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

fn run(command: &OsStr, args: &[OsString]) -> Result<i32> {
    all_signals().thread_block()?;
    unshare(CloneFlags::CLONE_NEWPID)?;
    match unsafe { fork()? } {
        ForkResult::Parent { child } => Ok(serve(child, false)),
        ForkResult::Child => match unsafe { fork() } {
            Ok(ForkResult::Parent { child }) => {
                let c = serve(child, true);
                unsafe { libc::_exit(c) }
            }
            Ok(ForkResult::Child) => {
                all_signals().thread_unblock()?;
                let e = Command::new(command).args(args).exec();
                eprintln!("{e}");
                unsafe { libc::_exit(1) }
            }
            Err(_) => unsafe { libc::_exit(1) },
        },
    }
}

fn all_signals() -> SigSet {
    let mut set = SigSet::empty();
    PASSED_ON.iter().for_each(|s| set.add(*s));
    set.add(Signal::SIGCHLD);
    set
}

fn code(status: WaitStatus) -> i32 {
    match status {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    }
}

fn serve(child: Pid, everybody: bool) -> i32 {
    let set = all_signals();
    loop {
        let signal = set.wait().unwrap();
        if signal != Signal::SIGCHLD {
            _ = kill(child, signal);
            continue;
        }
        loop {
            let which = if everybody { None } else { Some(child) };
            match waitpid(which, Some(WaitPidFlag::WNOHANG)) {
                Ok(status @ (WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..))) => {
                    if pid == child {
                        return code(status);
                    }
                }
                _ => break,
            }
        }
    }
}
