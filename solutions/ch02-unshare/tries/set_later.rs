//! Named: COMMAND starts before the name is set
//! Another thread sets the name a little later.

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
    if let Err(e) = unshare(CloneFlags::CLONE_NEWUTS) {
        eprintln!("{e}");
        return ExitCode::FAILURE;
    }
    let n = name.to_owned();
    std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(100));
        sethostname(n)
    });
    ExitCode::from(Command::new(command).args(args).status().unwrap().code().unwrap_or(1) as u8)
}
