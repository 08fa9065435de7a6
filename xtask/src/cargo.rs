//! Calling cargo.
