//! `verify` on one chapter, and the command lines of both commands.

#[path = "../../../exercises/lab/tests/common/skip.rs"]
#[macro_use]
mod skip;

use assert_cmd::Command;

/// One chapter, named twice, with some of its programs; `.ci/run` verifies all chapters. A learner's own progress is no fault: only
/// `cargo xtask verify` asks for untouched stubs, and for more of the cheats and of the mistakes.
#[test]
fn a_chapter_is_what_it_should_be() {
    slow!();
    let mut verify = Command::new(assert_cmd::cargo::cargo_bin!("author"));
    let arguments = ["verify", "--any-progress", "--quick", "--sample", "6", "ch1", "look"];
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
fn wrong_usage_says_what_is_right() {
    for (words, said) in [
        (&["verify", "--fast"][..], "error: `verify` has no option `--fast`"),
        (&["bench", "--runs=0"], "error: `0` is not a number of runs"),
        (&["bench", "--runs=x"], "error: `x` is not a number of runs"),
        (&["bench", "--runs", "x"], "error: `x` is not a number of runs"),
        (&["bench", "box", "--runs", "x"], "error: `x` is not a number of runs"),
        (&[], "error: this program is started by `cargo xtask`"),
    ] {
        let mut author = Command::new(assert_cmd::cargo::cargo_bin!("author"));
        let assert = author.args(words).assert().code(2);
        let err = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
        assert!(err.starts_with(said), "{words:?}: {err}");
    }
}

/// The load of `bench` runs in a sandbox, which has no checkout.
#[test]
fn outside_of_a_checkout_there_is_a_load() {
    let mut bench = Command::new(assert_cmd::cargo::cargo_bin!("author"));
    bench.args(["bench", "--load", "nothing"]).current_dir("/");
    bench.env_remove("NAMESPACES_BY_HAND_ROOT").env_remove("CARGO_MANIFEST_DIR").assert().success();
}
