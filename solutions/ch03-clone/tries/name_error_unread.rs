//! Named: nothing
//! Points at: sethostname(*
//! The name is too long, and no result is looked at.

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

fn c3(flags: i32, sig: i32, pidfd: &mut i32) -> i64 {
    let mut a: libc::clone_args = unsafe { std::mem::zeroed() };
    a.flags = flags as u64;
    a.exit_signal = sig as u64;
    a.pidfd = pidfd as *mut i32 as u64;
    unsafe { libc::syscall(libc::SYS_clone3, &a, size_of_val(&a)) }
}
const FLAGS: i32 = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD;
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
    match c3(FLAGS, libc::SIGCHLD, &mut fd) {
        -1 => Err(std::io::Error::last_os_error().into()),
        0 => {
            let n = format!("{}\0", name.to_string_lossy().repeat(9));
            unsafe { libc::sethostname(n.as_ptr().cast(), n.len()) };
            _ = Command::new(command).args(args).exec();
            unsafe { libc::_exit(127) }
        }
        p => wait(p),
    }
}
