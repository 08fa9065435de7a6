//! How `cargo xtask pack` is called. Its package reads the command line, and this one lists the command.

use crate::shared::arguments::Usage;

pub const USAGE: Usage = Usage {
    name: "pack",
    forms: &[(
        "",
        "write the archive for a workshop's participants: exercises, checks, crates and the book, \
         without the solutions; it needs no network",
    )],
    options: &[
        ("--out FILE", "to this file, which must not exist; otherwise named after the edition"),
        ("--no-pdf", "without the PDF, which is half of the archive"),
    ],
};
