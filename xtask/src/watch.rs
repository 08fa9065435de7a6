//! `cargo xtask watch`

use crate::failure::{Failure, Result};

pub(crate) fn run(_words: &[&str]) -> Result {
    Err(Failure::new("not built yet"))
}
