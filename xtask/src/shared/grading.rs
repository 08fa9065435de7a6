//! How `cargo xtask grade` is called. Its package reads the command line, and this one lists the command.

use crate::shared::arguments::Usage;

pub const USAGE: Usage = Usage {
    name: "grade",
    forms: &[
        (
            "SUBMISSIONS… --out DIR",
            "build and check what students have handed in, and keep a result for each: folders, \
             archives, git repositories, a main.rs, or a folder or archive of many",
        ),
        ("merge DIR… --out DIR", "bring the results of several runs together"),
    ],
    options: &[
        ("--chapters LIST", "only these, such as `ch2,ch3`; otherwise all"),
        ("--jobs NUMBER", "that many programs at once; otherwise one for each processor"),
        ("--again KEY", "only this submission, also if it has a result"),
        (
            "--points FILE",
            "what each step is worth; otherwise a point for each that makes a chapter solved",
        ),
        (
            "--feedback LEVEL",
            "what students are told: `full`, `own` (what their program did) or `kind`",
        ),
        ("--shard I/N", "only this part of all submissions: `0/7` to `6/7`"),
    ],
};
