//! Named: COMMAND is in another new namespace than the name
//! The name is set in a namespace that the program leaves again.

use std::ffi::{OsStr, OsString};
use std::process::Command;
use std::process::ExitCode;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::sethostname;

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [name, dashes, command, args @ ..] if dashes == "--" => run(name, command, args),
        _ => {
            eprintln!("usage: ch02-unshare NAME -- COMMAND [ARGS…]");
            ExitCode::from(2)
        }
    }
}

fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> ExitCode {
    let old = std::fs::File::open("/proc/self/ns/uts").unwrap();
    if unshare(CloneFlags::CLONE_NEWUTS).is_err() || sethostname(name).is_err() {
        return ExitCode::FAILURE;
    }
    let mut child = Command::new("/bin/true").spawn().unwrap();
    child.wait().unwrap();
    nix::sched::setns(old, CloneFlags::CLONE_NEWUTS).unwrap();
    unshare(CloneFlags::CLONE_NEWUTS).unwrap();
    ExitCode::from(Command::new(command).args(args).status().unwrap().code().unwrap_or(1) as u8)
}
