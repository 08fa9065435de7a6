//! Named: nothing
//! Points at: clone(*CLONE_PIDFD*
//! With the old call the two flags share one argument.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::process::ExitCode;

use anyhow::{Result, anyhow};
use nix::unistd::sethostname;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, command, args),
        _ => Err(anyhow!("usage: ch03-clone NAME -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(status),
        Err(error) => {
            eprintln!("ch03-clone: {error:#}");
            ExitCode::FAILURE
        }
    }
}

const FLAGS: i32 = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD;
fn child(name: &OsStr, command: &OsStr, args: &[OsString]) -> ! {
    if sethostname(name).is_err() {
        unsafe { libc::_exit(1) }
    }
    let e = Command::new(command).args(args).exec();
    eprintln!("{e}");
    unsafe { libc::_exit(127) }
}
fn wait(pid: i64) -> Result<u8> {
    use nix::sys::wait::*;
    Ok(match waitpid(nix::unistd::Pid::from_raw(pid as i32), None)? {
        WaitStatus::Exited(_, c) => c as u8,
        WaitStatus::Signaled(_, s, _) => 128 + s as u8,
        _ => 1,
    })
}

fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> Result<u8> {
    let mut fd = -1;
    let mut tid = 0i32;
    _ = fd;
    let p = unsafe {
        libc::syscall(
            libc::SYS_clone,
            (FLAGS | libc::CLONE_PARENT_SETTID | libc::SIGCHLD) as i64,
            0,
            &mut tid,
            0,
            0,
        )
    };
    fd = tid;
    match p {
        -1 => Err(std::io::Error::last_os_error().into()),
        0 => child(name, command, args),
        p => wait(p),
    }
}
