//! Named: your program gave up
//! Points at: mount("proc"
//! The type is that of another file system, which has to be visible already.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use anyhow::Result;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, execvp, fork};

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

fn run(command: &OsStr, args: &[OsString]) -> ExitCode {
    let argv: Vec<CString> = std::iter::once(command)
        .chain(args.iter().map(|a| a.as_os_str()))
        .map(|w| CString::new(w.as_bytes()).unwrap())
        .collect();
    if unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS).is_err() {
        return ExitCode::FAILURE;
    }
    match unsafe { fork() } {
        Ok(ForkResult::Child) => {
            if private().is_err() {
                unsafe { libc::_exit(1) }
            }
            if let Err(e) =
                mount(Some("proc"), "/proc", Some("sysfs"), MsFlags::empty(), None::<&str>)
            {
                eprintln!("mount: {e}");
                unsafe { libc::_exit(1) }
            }
            _ = execvp(&argv[0], &argv);
            unsafe { libc::_exit(127) }
        }
        Ok(ForkResult::Parent { child }) => status_of(child),
        Err(_) => ExitCode::FAILURE,
    }
}

fn private() -> nix::Result<()> {
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_PRIVATE | MsFlags::MS_REC, None::<&str>)
}

fn status_of(child: Pid) -> ExitCode {
    match waitpid(child, None) {
        Ok(WaitStatus::Exited(_, code)) => ExitCode::from(code as u8),
        Ok(WaitStatus::Signaled(_, signal, _)) => ExitCode::from(128 + signal as u8),
        _ => ExitCode::FAILURE,
    }
}
