//! Named: the exit status is not COMMAND's
//! The child's pid is returned for its status.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::*;
use nix::unistd::{ForkResult, Pid, fork};

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

const N: Option<&str> = None;
fn ok(r: Result<i32>) -> ExitCode {
    match r {
        Ok(c) => ExitCode::from(c as u8),
        Err(e) => {
            eprintln!("ch09-pid: {e:#}");
            ExitCode::FAILURE
        }
    }
}
fn private() -> Result<()> {
    mount(N, "/", N, MsFlags::MS_REC | MsFlags::MS_PRIVATE, N).context("mount private")
}
fn proc_() -> Result<()> {
    mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), N).context("mount proc")
}
fn exec(c: &OsStr, a: &[OsString]) -> ! {
    let e = Command::new(c).args(a).exec();
    eprintln!("{e}");
    unsafe { libc::_exit(127) }
}
fn wait(p: Pid) -> Result<i32> {
    Ok(match waitpid(p, None).context("waitpid")? {
        WaitStatus::Exited(_, c) => c,
        WaitStatus::Signaled(_, s, _) => 128 + s as i32,
        _ => 1,
    })
}
const BOTH: CloneFlags = CloneFlags::CLONE_NEWPID.union(CloneFlags::CLONE_NEWNS);

fn run(command: &OsStr, args: &[OsString]) -> ExitCode {
    ok((|| {
        unshare(BOTH)?;
        match unsafe { fork()? } {
            ForkResult::Child => {
                private().unwrap();
                proc_().unwrap();
                exec(command, args)
            }
            ForkResult::Parent { child } => {
                wait(child)?;
                Ok(child.as_raw())
            }
        }
    })())
}
