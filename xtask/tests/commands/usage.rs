//! Command lines that make no sense.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use crate::checkout::Checkout;

#[test]
fn wrong_usage_says_what_is_right() {
    let checkout = Checkout::new("usage");
    for (words, said) in [
        ("chekc", "`cargo xtask help` lists the commands"),
        ("check ch9", "the chapters are ch01-one, ch02-two"),
        ("check --jsn", "there are `--all`, `--json` and `--junit FILE`"),
        ("check --junit", "`--junit` needs a file"),
        ("check --all ch1", "leave out one or the other"),
        ("hint", "cargo xtask hint CHAPTER"),
        ("reset", "cargo xtask reset CHAPTER"),
        ("reset ch1 ch2", "cargo xtask reset CHAPTER"),
        ("diff", "cargo xtask diff CHAPTER"),
        ("watch ch1 ch2", "cargo xtask watch [CHAPTER]"),
        ("list ch1", "`list` takes no argument"),
    ] {
        let (code, out, err) = checkout.run(words);
        assert_eq!((code, out.as_str()), (2, ""), "{words}");
        assert!(err.starts_with("error: ") && err.contains(said), "{words}: {err}");
    }
}

#[test]
fn help_is_no_error() {
    let checkout = Checkout::new("help");
    for words in ["", "help", "--help", "check --help", "reset ch1 -h"] {
        let (code, out, err) = checkout.run(words);
        assert_eq!((code, err.as_str()), (0, ""), "{words}");
        assert!(out.starts_with("usage: cargo xtask COMMAND\n"), "{words}: {out}");
    }
}

#[test]
fn an_argument_may_be_any_bytes() {
    let checkout = Checkout::new("bytes");
    let output = checkout.xtask("check").arg(OsStr::from_bytes(b"ch\xff")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.starts_with("error: ") && err.contains("is not UTF-8"), "{err}");
}

#[test]
fn a_chapter_named_twice_is_checked_once() {
    let (code, out, err) = Checkout::new("twice").run("check ch1 one");
    assert_eq!(code, 0);
    assert_eq!(out.matches("solved").count(), 1, "{out}");
    assert!(err.contains("note: ch01-one is named twice and checked once"), "{err}");
}
