//! `shell --solutions`. It builds the solutions, and a program that is replaced while another test's lab is made is
//! missing there, so this test runs when no other does: Cargo runs one file of tests after the other.

use assert_cmd::Command;
use assert_cmd::cargo::cargo_bin;

/// The sessions of the pages call the solutions by the exercises' names.
#[test]
fn a_shell_with_the_solutions() {
    let mut shell = Command::new(cargo_bin!("play"));
    let session = "ch02-unshare otter -- uname -n; ls /lab | grep -c solution\n";
    shell.args(["shell", "--solutions"]).write_stdin(session).assert().stdout("otter\n0\n");
    let mut shell = Command::new(cargo_bin!("play"));
    let said = shell.args(["shell", "--solved"]).assert().code(2).get_output().stderr.clone();
    assert!(String::from_utf8_lossy(&said).contains("`shell` has no option `--solved`"));
}
