//! The harness: runs a learner's program in a throwaway sandbox, looks at it from outside, and
//! says what the kernel saw.
//!
//! A check starts the program with [`exercise!`], looks at it through an [`Attempt`], and compares
//! the [`Report`] with [`assert_report!`]. Below that:
//!
//! * [`sandbox`] runs any program so that this machine stays as it is;
//! * [`look`] reads from outside which namespaces a process is in, and what is in them;
//! * [`record`] follows a program through its namespace calls;
//! * [`mistakes`] knows the classic mistakes and how they show;
//! * [`doctor`] knows why a machine refuses;
//! * [`verdict`] is what all of it comes to.

pub mod doctor;
mod exercise;
#[cfg(test)]
mod fuzz;
pub mod look;
pub mod mistakes;
pub mod record;
mod report;
pub mod sandbox;
mod seccomp;
mod sys;
pub mod verdict;

pub use exercise::{Attempt, Exercise, PROGRAM, Seen, random, token};
#[doc(hidden)]
pub use insta;
pub use report::{Part, Report, acts};

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
