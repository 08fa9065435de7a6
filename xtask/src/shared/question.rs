//! Questions to the reader.

use std::io::IsTerminal as _;

use crate::shared::failure::{Failure, Result};
use crate::shared::screen;

/// Asks for consent. Without a terminal `--yes` is the only way to give it: `why` says what is the case,
/// and `yes` what the option does.
pub fn consent(why: &str, question: &str, yes: &str) -> Result<bool> {
    if !has_reader() {
        return Err(Failure::usage(format!("{why}, and there is no terminal to ask on"))
            .help(format!("add `--yes` to {yes}")));
    }
    let answer = answer(&format!("{why}; {question} [y/N] "));
    Ok(matches!(answer.as_str(), "y" | "Y" | "yes"))
}

/// Whether there is a terminal to ask on.
pub fn has_reader() -> bool {
    std::io::stdin().is_terminal()
}

/// The line that the reader answers with; empty at the end of the input.
pub fn answer(question: &str) -> String {
    screen::print(question);
    let mut answer = String::new();
    _ = std::io::stdin().read_line(&mut answer);
    answer.trim().to_owned()
}
