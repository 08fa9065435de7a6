//! Named: nothing
//! Points at: sethostname(*
//! The error is printed, and the status is 0.

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
    if let Err(e) = unshare(CloneFlags::CLONE_NEWUTS).and_then(|()| sethostname(name)) {
        eprintln!("error: {e}");
        return ExitCode::SUCCESS;
    }
    ExitCode::from(Command::new(command).args(args).status().unwrap().code().unwrap_or(1) as u8)
}
