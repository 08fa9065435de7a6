//! What is wrong, one sentence each.

use std::fmt::Display;

#[derive(Default)]
pub(crate) struct Faults(pub(crate) Vec<String>);

impl Faults {
    pub(crate) fn unless(&mut self, good: bool, what: impl Display) {
        if !good {
            self.0.push(what.to_string());
        }
    }
}
