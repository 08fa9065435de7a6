//! The harness: runs a learner's program in a throwaway sandbox, looks at it from outside, and
//! says what the kernel saw.
//!
//! A check starts the program with [`exercise!`], looks at it through an [`Attempt`], and compares
//! the [`Report`] with [`assert_report!`]. Running, looking and recording are the crate `lab`'s; here
//! is what judges. Each module imports only those above it:
//!
//! * [`env`] names what `cargo xtask` and a check tell each other;
//! * [`doctor`] knows why a machine refuses;
//! * [`report`] is what was seen;
//! * [`mistakes`] knows the classic mistakes and how they show;
//! * [`variant`] is what differs from one student to another;
//! * `story` reads from the recorded calls what no table has;
//! * [`verdict`] is what all of it comes to;
//! * [`Attempt`] runs a program and fills the report.

pub mod env;
pub mod doctor;
pub mod report;
pub mod mistakes;
pub mod variant;
mod story;
pub mod verdict;
mod attempt;
#[cfg(test)]
mod fuzz;

pub use attempt::{
    A_PROCESS, Attempt, GONE, NO_PROCESS, Seen, high_status, left_of_a_killed, left_of_an_orphan,
    named_status, names_errno, no_more_namespaces, no_new_proc, not_refused, refused, spells_errno,
    until, watch_setgroups, with_room_for_a_queue,
};
#[doc(hidden)]
#[cfg(feature = "snapshots")]
pub use insta::assert_snapshot as assert_excerpt;
pub use lab::{absent_pid, letters, look, moment, random, sandbox, sketch, token, visit};
pub use report::{Report, is_unprintable};
pub use step::step;
pub use trace;

/// The program of the package whose check this is, in a [`Sandbox`](sandbox::Sandbox), ready for
/// arguments.
#[macro_export]
macro_rules! exercise {
    () => {
        $crate::sandbox::Sandbox::new($crate::verdict::program(
            env!("CARGO_PKG_NAME"),
            env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME"))),
        ))
    };
}

/// Compares what a step looks at with an inline snapshot. On a mismatch the diagnosis is printed
/// before the difference.
///
/// A solution's check, which has the feature `snapshots`, leaves the comparison to insta, so that
/// `cargo insta test --accept` can write what is new. An exercise's check compares by itself: a
/// learner need not compile insta.
#[macro_export]
macro_rules! assert_report {
    ($selection:expr, @$wanted:literal) => {
        if let Some(saw) = $crate::verdict::judge($selection, $wanted, env!("CARGO_PKG_NAME")) {
            $crate::assert_excerpt!(saw, @$wanted);
        }
    };
}

#[doc(hidden)]
#[cfg(not(feature = "snapshots"))]
#[macro_export]
macro_rules! assert_excerpt {
    ($saw:expr, @$wanted:literal) => {
        let (saw, wanted) = ($saw, $crate::report::Excerpt::read($wanted));
        assert!(saw == wanted, "what the kernel saw\n{saw}\n\nwhat is wanted\n{wanted}");
    };
}
