//! Does nothing and exits with 0.

fn main() {}
