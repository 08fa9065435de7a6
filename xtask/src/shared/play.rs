//! How the commands are called that run something in a lab before the reader's eyes. Their package,
//! `xtask/play`, reads the command lines, and this one lists the commands.

use crate::shared::arguments::Usage;

/// The option that says with which rights the program runs.
const AS: (&str, &str) = ("--as plain-user", "without root's rights");

const LIVE: (&str, &str) =
    ("--live", "with a page for a browser that shows who is in which namespace");

pub const RUN: Usage = Usage {
    name: "run",
    forms: &[("CHAPTER [-- ARGS…]", "your program, or an example of a page, in the sandbox")],
    options: &[AS],
};

pub const TRACE: Usage = Usage {
    name: "trace",
    forms: &[
        ("CHAPTER [-- ARGS…]", "the namespace calls of your program, or of an example, one by one"),
        ("-- PROGRAM [ARGS…]", "those of any program"),
    ],
    options: &[
        AS,
        ("--json", "as JSON Lines"),
        ("--html FILE", "as a page to step through"),
        ("--from FILE", "show what --json wrote"),
    ],
};

pub const SHELL: Usage = Usage {
    name: "shell",
    forms: &[("", "a shell in a sandbox, to play in")],
    options: &[AS, ("--solutions", "with the chapters' programs finished, as in the book"), LIVE],
};

pub const CHALLENGE: Usage = Usage {
    name: "challenge",
    forms: &[
        ("", "the challenges, and which of them you have done"),
        (
            "CHAPTER [NAME]",
            "one of them, in a lab's shell: it says when the kernel shows what is asked",
        ),
    ],
    options: &[("--hint NUMBER", "a hint instead of the lab"), LIVE],
};
