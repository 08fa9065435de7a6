//! How `cargo xtask verify` and `cargo xtask bench` are called. Their package, `xtask/author`, reads the
//! command lines, and this one lists the commands.

use crate::shared::arguments::Usage;

pub const VERIFY: Usage = Usage {
    name: "verify",
    forms: &[(
        "[CHAPTER…]",
        "solutions pass, exercises fail, mistakes are named; all of them by default",
    )],
    options: &[
        ("--any-progress", "whatever the exercises' src/main.rs hold"),
        ("--quick", "cheats at a chapter's first step only, and no terse programs"),
        ("--sample N", "of the programs beside the solutions every Nth only"),
        ("--build", "only build what would be tried"),
        (
            "--repeat N",
            "each program that has to pass, to be refused or to be told its cause, N times",
        ),
    ],
};

pub const BENCH: Usage = Usage {
    name: "bench",
    forms: &[
        ("", "what a sandbox run costs, beside other tools"),
        ("box", "what a box of chapter 17 costs and gives, beside container runtimes"),
    ],
    options: &[
        ("--runs N", "so many runs of each instead of 200"),
        ("--no-suite", "without the whole test suite"),
    ],
};
