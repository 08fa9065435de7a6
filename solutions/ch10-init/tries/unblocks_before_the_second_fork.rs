//! Named: a signal comes while it is not blocked

use std::ffi::{OsStr, OsString};
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use nix::sys::signal::Signal;

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

fn become_command(command: &OsStr, args: &[OsString]) -> ! {
    use std::ffi::CString;
    use std::os::unix::ffi::OsStrExt as _;
    let words = std::iter::once(command).chain(args.iter().map(OsString::as_os_str));
    let words: Vec<CString> = words.filter_map(|word| CString::new(word.as_bytes()).ok()).collect();
    let mut argv: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());
    // SAFETY: the array ends with a null pointer.
    unsafe {
        libc::execvp(argv[0], argv.as_ptr());
        libc::_exit(127)
    }
}

fn set() -> nix::sys::signal::SigSet {
    let mut set: nix::sys::signal::SigSet = PASSED_ON.into_iter().collect();
    set.add(Signal::SIGCHLD);
    set
}

/// Waits for `child`, and passes the signals on to it meanwhile.
fn look_after(child: nix::unistd::Pid) -> Result<i32> {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    loop {
        let signal = set().wait()?;
        if signal != Signal::SIGCHLD {
            let _ = nix::sys::signal::kill(child, signal);
            continue;
        }
        let mut ended = None;
        loop {
            match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) if pid == child => ended = Some(code),
                Ok(WaitStatus::Signaled(pid, signal, _)) if pid == child => {
                    ended = Some(128 + signal as i32)
                }
                Ok(WaitStatus::StillAlive) | Err(_) => break,
                Ok(_) => {}
            }
        }
        if let Some(code) = ended {
            return Ok(code);
        }
    }
}

/// Runs `command` under a PID 1 in a new PID namespace, and returns its exit status.
fn run(command: &OsStr, args: &[OsString]) -> Result<i32> {
    use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, sigaction};
    use nix::unistd::{ForkResult, fork};
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is installed.
    unsafe { sigaction(Signal::SIGCHLD, &default)? };
    set().thread_block()?;
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWPID)?;
    // SAFETY: this program has one thread.
    let init = match unsafe { fork()? } {
        ForkResult::Parent { child } => return look_after(child),
        // SAFETY: as above.
        ForkResult::Child => unsafe {
            set().thread_unblock()?;
            fork()
        },
    };
    let code = match init {
        Ok(ForkResult::Child) => become_command(command, args),
        Ok(ForkResult::Parent { child }) => {
            set().thread_block().map_or(1, |()| look_after(child).unwrap_or(1))
        }
        Err(_) => 1,
    };
    // SAFETY: ends only this process.
    unsafe { libc::_exit(code) }
}
