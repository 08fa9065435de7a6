//! `challenge`: said at once, by exit status, and kept.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use crate::{folder, text, xtask};

/// A checkout of this repository's files with a progress file of its own.
fn checkout(test: &str) -> PathBuf {
    let folder = folder(test);
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    for name in ["Cargo.toml", "book", "exercises", "solutions"] {
        symlink(repository.join(name), folder.join(name)).unwrap();
    }
    folder
}

fn challenge(checkout: &Path, words: &[&str], typed: &str) -> Output {
    let mut command = xtask(&[&["challenge"], words].concat());
    command.env("NAMESPACES_BY_HAND_ROOT", checkout).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn what_the_kernel_shows_is_said_and_kept() {
    let checkout = checkout("challenge-done");
    let typed = "echo done; unshare --uts sh -c 'hostname otter; exec sleep 20' &\nsleep 2\n";
    let done = challenge(&checkout, &["ch2"], typed);
    let (said, errors) = (text(&done.stdout), text(&done.stderr));
    assert_eq!(done.status.code(), Some(0), "{said}{errors}");
    let table = "done: A name of its own\n\n         user  mnt  pid  net  uts  ipc  cgroup  time\n\
                 lab      A     A    A    A    A    A    A       A\n\
                 sleep    A     A    A    A    B    A    A       A\n";
    assert!(said.contains(table), "{said}");
    let list = text(&challenge(&checkout, &[], "").stdout);
    let state = |name: &str| list.lines().find(|line| line.contains(name)).map(str::to_owned);
    assert!(state("own-name").is_some_and(|line| line.contains("done")), "{list}");
    assert!(state("two-names").is_some_and(|line| line.contains("open")), "{list}");
    // The first one is done, so the chapter goes on with the second.
    let next = challenge(&checkout, &["ch2"], "");
    assert!(text(&next.stdout).starts_with("Three names at once\n"), "{next:?}");
}

#[test]
fn words_do_not_count_and_a_wrong_way_is_named() {
    let checkout = checkout("challenge-wrong");
    let typed = "echo done: A name of its own; hostname otter; sleep 2\n";
    let wrong = challenge(&checkout, &["ch2"], typed);
    assert_eq!(wrong.status.code(), Some(1), "{wrong:?}");
    let said = text(&wrong.stdout);
    assert!(said.contains("\nnot yet: The lab itself has been renamed:"), "{said}");
    assert!(said.contains("not done: `cargo xtask challenge ch2 own-name` begins again"), "{said}");
    assert!(!fs::exists(checkout.join(".progress")).unwrap());
}

#[test]
fn a_hint_and_a_name_that_is_not_there() {
    let checkout = checkout("challenge-words");
    for (words, code, said) in [
        (
            &["ch2", "own-name", "--hint", "1"][..],
            0,
            "unshare(1) runs a program in new namespaces.",
        ),
        (
            &["ch2", "own-name", "--hint", "7"],
            2,
            "error: `own-name` has no hint 7\nhelp: it has 2\n",
        ),
        (&["ch2", "on-name"], 2, "help: did you mean `own-name`?\n"),
        (&["ch2", "x", "y"], 2, "error: `challenge` does not take `y`\n"),
        (&["--hint", "1"], 2, "error: `challenge` needs a chapter\n"),
    ] {
        let output = challenge(&checkout, words, "");
        assert_eq!(output.status.code(), Some(code), "{words:?}");
        let all = text(&output.stdout) + &text(&output.stderr);
        assert!(all.contains(said), "{words:?}: {all}");
    }
}
