//! Command lines that make no sense.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::checkout::Checkout;

#[test]
fn wrong_usage_says_what_is_right() {
    let checkout = Checkout::new("usage");
    for (words, said) in [
        ("chekc", "help: did you mean `check`?"),
        ("hlp check", "help: did you mean `help`?"),
        ("frobnicate", "help: `cargo xtask help` lists the commands"),
        ("check ch9", "help: the chapters are ch01-one, ch02-two"),
        ("check ch01-on", "help: did you mean `ch01-one`?"),
        ("check --jsn", "error: `check` has no option `--jsn`\nhelp: did you mean `--json`?"),
        ("check -j", "error: `check` has no option `-j`\nhelp: there are `--all`, `--further`"),
        ("check --junit", "error: `--junit` needs a file"),
        ("check --all ch1", "help: leave out one or the other"),
        ("check --all=ch1", "error: `--all` takes no value"),
        ("hint", "help: `cargo xtask hint CHAPTER`; `--help` says more"),
        ("reset", "error: `reset` needs a chapter\nhelp: `cargo xtask reset CHAPTER`"),
        ("reset ch1 ch2", "error: `reset` does not take `ch2`\nhelp: `cargo xtask reset CHAPTER`"),
        ("diff", "help: `cargo xtask diff CHAPTER`"),
        ("diff ch1 --yse", "help: did you mean `--yes`?"),
        ("watch ch1 ch2", "help: `cargo xtask watch [CHAPTER]`"),
        ("list ch1", "error: `list` does not take `ch1`"),
        ("list --all", "error: `list` has no option `--all`\nhelp: it has no options"),
        ("book --opne", "help: did you mean `--open`?"),
        ("doctor --jsno", "help: did you mean `--json`?"),
        ("join", "error: `join` needs the address of the room\nhelp: `cargo xtask join URL NAME`"),
        ("join http://192.0.2.7/k7qm3w", "error: `join` needs a name, which the room will show"),
        (
            "join http://192.0.2.7/k7qm3w ada lovelace",
            "help: put quotes around a name of several words",
        ),
        ("join https://192.0.2.7/k7qm3w ada", "a room speaks `http://`, and not `https://`"),
        ("join http://192.0.2.7 ada", "the code of the room is missing"),
        ("check --name ada", "error: `--name` is for `--report`\nhelp: add `--report URL`"),
        ("check --report http://192.0.2.7/k7qm3w", "help: add `--name NAME`"),
        ("stuck", "error: this checkout is in no room\nhelp: `cargo xtask join URL NAME`"),
        ("stuck --over help", "error: `--over` takes no text"),
        ("done now", "error: `done` does not take `now`"),
        ("leave now", "error: `leave` does not take `now`"),
    ] {
        let (code, out, err) = checkout.run(words);
        assert_eq!((code, out.as_str()), (2, ""), "{words}");
        assert!(err.starts_with("error: ") && err.contains(said), "{words}: {err}");
    }
}

#[test]
fn an_option_takes_its_value_both_ways() {
    let checkout = Checkout::new("both-ways");
    for words in ["check ch1 --junit FILE", "check ch1 --junit=FILE"] {
        let file = checkout.root.join("result.xml");
        let words = words.replace("FILE", file.to_str().unwrap());
        assert_eq!(checkout.run(&words).0, 0, "{words}");
        std::fs::remove_file(&file).unwrap_or_else(|error| panic!("{words}: {error}"));
    }
}

#[test]
fn outside_of_a_checkout_there_is_help() {
    let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin!("xtask"));
    command.arg("help").current_dir("/").env_remove("NAMESPACES_BY_HAND_ROOT");
    let output = command.env_remove("CARGO_MANIFEST_DIR").output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn help_is_no_error() {
    let checkout = Checkout::new("help");
    for words in ["", "help", "--help", "-h", "help --help"] {
        let (code, out, err) = checkout.run(words);
        assert_eq!((code, err.as_str()), (0, ""), "{words}");
        assert!(out.starts_with("usage: cargo xtask COMMAND\n\nfor readers\n"), "{words}: {out}");
        assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    }
    let reset = "usage: cargo xtask COMMAND\n\n  \
                 reset CHAPTER           the exercise as it was; your file is kept beside it\n\n\
                 A CHAPTER is ch3, 3, its name (clone) or its folder (ch03-clone).\n";
    for words in ["reset --help", "reset ch1 -h", "help reset", "--help reset"] {
        assert_eq!(checkout.run(words), (0, reset.to_owned(), String::new()), "{words}");
    }
    let all = checkout.run("help").1;
    for command in [
        "check",
        "watch",
        "hint",
        "run",
        "trace",
        "shell",
        "list",
        "diff",
        "reset",
        "catch-up",
        "break",
        "join",
        "update",
        "stuck",
        "done",
        "leave",
        "room",
        "doctor",
        "book",
        "verify",
        "grade",
        "kernels",
        "live",
        "bench",
        "pack",
        "challenge",
    ] {
        let own = checkout.run(&format!("{command} --help")).1;
        let own = own.trim_start_matches("usage: cargo xtask COMMAND\n\n");
        let own = own.split("\nA CHAPTER").next().unwrap();
        assert!(own.starts_with(&format!("  {command}")) && all.contains(own), "{command}: {own}");
    }
}

#[test]
fn a_name_may_be_any_bytes() {
    let checkout = Checkout::new("bytes");
    for (words, said) in [
        ("check", "error: there is no chapter `ch\u{fffd}`\n"),
        ("", "error: there is no command `ch\u{fffd}`\n"),
    ] {
        let output = checkout.xtask(words).arg(OsStr::from_bytes(b"ch\xff")).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(err.starts_with(said), "{err}");
    }
    // A file's name, too.
    let file = checkout.root.join(OsStr::from_bytes(b"\xff.xml"));
    checkout.xtask("check ch1 --junit").arg(&file).assert().success();
    assert!(file.exists());
}

#[test]
fn a_chapter_named_twice_is_checked_once() {
    let (code, out, err) = Checkout::new("twice").run("check ch1 one");
    assert_eq!(code, 0);
    assert_eq!(out.matches("solved").count(), 1, "{out}");
    assert!(err.contains("note: ch01-one is named twice and checked once"), "{err}");
}
