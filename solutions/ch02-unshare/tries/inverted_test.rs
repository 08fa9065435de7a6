//! Named: nothing
//! Points at: exit(1)
//! As in a language where 0 is false, the call's 0 is taken for its failure.

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
    if unsafe { libc::unshare(libc::CLONE_NEWUTS) } == 0 {
        eprintln!("unshare failed");
        return ExitCode::FAILURE;
    }
    sethostname(name).unwrap();
    ExitCode::from(Command::new(command).args(args).status().unwrap().code().unwrap_or(1) as u8)
}
