//! nsenter(1) joins, and mount(8) pins; the program checks its arguments and passes the status on.

use std::ffi::{OsStr, OsString};
use std::fs::{self, OpenOptions};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let status = match words.as_slice() {
        [word, pid, path] if word == "pin" => pin(number(pid), path),
        [pid, dashes, command @ ..] if dashes == "--" && !command.is_empty() => {
            let mut tool = Command::new("nsenter");
            tool.args(["--target", &number(pid).to_string(), "--net", "--uts", "--ipc", "--"]);
            run(tool.args(command))
        }
        _ => {
            eprintln!("usage: PID -- COMMAND [ARGS…], or pin PID PATH");
            2
        }
    };
    exit(status)
}

fn number(pid: &OsStr) -> u32 {
    match pid.to_str().and_then(|pid| pid.parse().ok()) {
        Some(pid @ 1..) => pid,
        _ => {
            eprintln!("{pid:?} is not the number of a process");
            exit(2)
        }
    }
}

fn run(command: &mut Command) -> i32 {
    match command.status() {
        Ok(status) => status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
        Err(error) => {
            eprintln!("{:?} does not start: {error}", command.get_program());
            127
        }
    }
}

fn pin(pid: u32, path: &OsStr) -> i32 {
    let new = fs::symlink_metadata(path).is_err();
    if let Err(error) = OpenOptions::new().create(true).append(true).open(path) {
        eprintln!("there is no file {path:?}, and none can be made: {error}");
        return 1;
    }
    let source = format!("/proc/{pid}/ns/uts");
    let mut tool = Command::new("mount");
    tool.args(["--no-mtab", "--no-canonicalize", "--bind", &source]).arg(path);
    let status = run(&mut tool);
    if status != 0 && new {
        _ = fs::remove_file(path);
    }
    status
}
