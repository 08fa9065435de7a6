//! `shell`, and what it shares with `run` and `trace`: with a terminal and without. Nothing is left of
//! either.

mod challenge;
mod input;
mod live;
mod output;
mod session;
mod status;
mod terminal;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use assert_cmd::cargo::cargo_bin;

/// The command without a terminal. One that hangs is ended, with status 137.
fn xtask(words: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--signal=KILL", "30"]).arg(cargo_bin!("play")).args(words);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A shell with these commands on its standard input.
fn shell(commands: &str, change: impl FnOnce(&mut Command)) -> Output {
    let (from, mut to) = io::pipe().unwrap();
    to.write_all(commands.as_bytes()).unwrap();
    drop(to);
    let mut command = xtask(&["shell"]);
    command.stdin(from);
    change(&mut command);
    command.output().unwrap()
}

/// A program with something else on its standard input.
fn program(script: &str, stdin: impl Into<Stdio>) -> Output {
    xtask(&["trace", "--", "sh", "-c", script]).stdin(stdin).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// An empty folder of this test.
fn folder(test: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}
