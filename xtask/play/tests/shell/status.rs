//! The role that a reader has inside, and how the shell ends.

use assert_cmd::cargo::cargo_bin;

use crate::{shell, text};

#[test]
fn without_a_terminal_commands_come_from_standard_input() {
    let mut shell = assert_cmd::Command::new(cargo_bin!("play"));
    let shell = shell.arg("shell").write_stdin("id -u; echo oops >&2; exit 7\n").assert();
    shell.code(7).stdout("0\n").stderr("oops\n");
}

#[test]
fn the_plain_user_is_not_root() {
    let mut shell = assert_cmd::Command::new(cargo_bin!("play"));
    shell.args(["shell", "--as", "plain-user"]).write_stdin("id -u").assert().stdout("1000\n");
}

#[test]
fn a_signal_inside_is_128_and_its_number() {
    let mut shell = assert_cmd::Command::new(cargo_bin!("play"));
    shell.arg("shell").write_stdin("kill -9 $$").assert().code(137);
}

#[test]
fn a_program_that_is_stopped_is_told_why() {
    let output = shell("exec 2>/dev/null; while :; do sleep 60 & done\n", |_| ());
    let said = "stopped: it had too many processes at once\n";
    assert_eq!((output.status.code(), text(&output.stderr).as_str()), (Some(137), said));
}
