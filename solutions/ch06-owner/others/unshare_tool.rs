//! unshare(1) makes the namespaces and the maps, and then runs this program again, which sets the host name.

use std::ffi::{OsStr, OsString};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, exit};

const AGAIN: &str = "--second-half";

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    match words.as_slice() {
        [again, name, command, args @ ..] if again == AGAIN => second_half(name, command, args),
        [_, dashes, _, ..] if dashes == "--" => first_half(&words[0], &words[2..]),
        _ => {
            eprintln!("usage: ch06-owner NAME -- COMMAND [ARGS…]");
            exit(2)
        }
    }
}

fn first_half(name: &OsStr, command: &[OsString]) -> ! {
    let myself = std::env::current_exe().unwrap_or_else(|error| {
        eprintln!("where am I? {error}");
        exit(1)
    });
    let mut tool = Command::new("unshare");
    tool.args(["--user", "--map-root-user", "--ipc", "--uts", "--net", "--"]);
    match tool.arg(myself).arg(AGAIN).arg(name).args(command).status() {
        Ok(status) => exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))),
        Err(error) => {
            eprintln!("unshare(1): {error}");
            exit(1)
        }
    }
}

fn second_half(name: &OsStr, command: &OsStr, args: &[OsString]) -> ! {
    if let Err(errno) = nix::unistd::sethostname(name) {
        eprintln!("the name {name:?}: {errno}");
        exit(1);
    }
    let error = Command::new(command).args(args).exec();
    eprintln!("{command:?}: {error}");
    exit(127)
}
