//! The harness: runs a learner's program in a throwaway sandbox, looks at it from outside, and
//! says what the kernel saw.
//!
//! A check starts the program with [`exercise!`], looks at it through an [`Attempt`], and compares
//! the [`Report`] with [`assert_report!`]. Running, looking and recording are the crate `lab`'s; here
//! is what judges. Each module imports only those above it:
//!
//! * [`doctor`] knows why a machine refuses;
//! * [`Report`] is what was seen;
//! * [`mistakes`] knows the classic mistakes and how they show;
//! * [`verdict`] is what all of it comes to;
//! * [`Attempt`] runs a program and fills the report.

pub mod doctor;
mod report;
pub mod mistakes;
pub mod verdict;
mod exercise;
#[cfg(test)]
mod fuzz;

pub use exercise::{Attempt, Exercise, PROGRAM, Seen};
#[doc(hidden)]
pub use insta;
pub use lab::{look, random, sandbox, token, visit};
pub use report::{Part, Report, acts};
pub use trace;

/// The program of the package whose check this is, ready for arguments.
#[macro_export]
macro_rules! exercise {
    () => {
        $crate::Exercise::new(env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME"))))
    };
}

/// Compares a part of a report with an inline snapshot. On a mismatch the diagnosis is printed
/// before insta's diff.
#[macro_export]
macro_rules! assert_report {
    ($part:expr, @$wanted:literal) => {{
        let part = $part;
        if $crate::verdict::compare(&part, $wanted, env!("CARGO_PKG_NAME")) {
            $crate::insta::assert_snapshot!(part.to_string(), @$wanted);
        }
    }};
}
