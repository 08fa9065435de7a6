//! Grades the programs of a course: many submissions, each built and checked in the sandbox.
//!
//! Each module imports only those above it:
//!
//! * [`points`] counts: what a step is worth, and what a program has earned;
//! * [`result`] is what came of one program, as a file that other systems can read.

pub mod points;
pub mod result;
