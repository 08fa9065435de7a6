//! Named: a name that is too long is cut
//! The name is cut to what the kernel accepts.

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
    let n: String = name.to_string_lossy().chars().take(64).collect();
    if unshare(CloneFlags::CLONE_NEWUTS).is_err() || sethostname(&n).is_err() {
        return ExitCode::FAILURE;
    }
    ExitCode::from(Command::new(command).args(args).status().unwrap().code().unwrap_or(1) as u8)
}
