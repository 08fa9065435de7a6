//! The course keeps its promises.

#[path = "../../exercises/lab/tests/common/skip.rs"]
#[macro_use]
mod skip;

use assert_cmd::Command;

/// One chapter, named twice; `.ci/run` verifies all of them. A learner's own progress is no fault: only
/// `cargo xtask verify` asks for untouched stubs, and for more of the cheats and of the mistakes.
#[test]
fn a_chapter_is_what_it_should_be() {
    slow!();
    let mut verify = Command::new(assert_cmd::cargo::cargo_bin!("xtask"));
    let arguments = ["verify", "--any-progress", "--quick", "ch1", "look"];
    let assert = verify.args(arguments).assert().success();
    let said = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    assert!(said.contains("\nno faults, "), "{said}");
    let line = "ok     ch01-look: the solution passes every step\n";
    assert_eq!(said.matches(line).count(), 1, "{said}");
    assert!(!said.contains("ch02-unshare"), "{said}");
    assert!(said.contains("skipped: whether src/main.rs is the untouched stub"), "{said}");
    assert!(said.contains("skipped: whether cheats fail at every step"), "{said}");
    assert!(
        said.contains("skipped: whether mistakes are named in programs that print only an errno"),
        "{said}"
    );
}

#[test]
fn an_option_it_does_not_have_is_wrong_usage() {
    let mut verify = Command::new(assert_cmd::cargo::cargo_bin!("xtask"));
    let assert = verify.args(["verify", "--fast"]).assert().code(2);
    let said = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(said.contains("--fast"), "{said}");
}
