//! `cargo xtask live`: the machine that runs in the book's pages, built, and tried with the book's sessions. What does
//! it is a package of its own, `xtask/live`, because a learner compiles this one.

use launch::Build;

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::cargo::become_tool;
use crate::shared::failure::Result;

pub(crate) const USAGE: Usage = Usage {
    name: "live",
    forms: &[
        ("", "what there is of the machine that runs in a page, and how old it is"),
        ("build [PART…]", "builds it from pinned packages, or some parts of it"),
        ("replay [PAGE…]", "runs the book's sessions in it, and says which differ"),
        ("sources", "fetches the sources of what is in it, for those who publish it"),
    ],
    options: &[("--out DIRECTORY", "another place for what a site offers")],
};

const BUILD: Build = Build { what: "the builder", first_time: "three minutes", draws: true };

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let mut words = Vec::new();
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("out") => {
                words.extend(["--out".into(), arguments.value("a directory")?]);
            }
            Argument::Value(word)
                if !words.is_empty()
                    || ["build", "replay", "sources"].iter().any(|known| word == **known) =>
            {
                words.push(word);
            }
            other => return Err(USAGE.unexpected(other)),
        }
    }
    become_tool("live", BUILD, words)
}
