//! Named: the COMMANDs run one after the other
//! Each COMMAND is started with `status`, which waits for its end.

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

fn one(name: &OsStr, command: &OsStr, args: &[OsString]) -> u8 {
    use std::os::unix::process::CommandExt as _;
    let n = name.to_owned();
    let mut c = Command::new(command);
    c.args(args);
    unsafe {
        c.pre_exec(move || {
            unshare(CloneFlags::CLONE_NEWUTS)?;
            sethostname(&n)?;
            Ok(())
        })
    };
    match c.status() {
        Ok(s) => s.code().unwrap_or(1) as u8,
        Err(e) => {
            eprintln!("{e}");
            1
        }
    }
}
fn run(name: &OsStr, command: &OsStr, args: &[OsString]) -> ExitCode {
    let mut words = vec![name.to_owned(), "--".into(), command.to_owned()];
    words.extend_from_slice(args);
    let mut first = None;
    for part in words.split(|w| w == "--and") {
        let s = one(&part[0], &part[2], &part[3..]);
        first.get_or_insert(s);
    }
    ExitCode::from(first.unwrap())
}
