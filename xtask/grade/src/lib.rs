//! Grades the programs of a course: many submissions, each built and checked in the sandbox.
//!
//! Each module imports only those above it:
//!
//! * [`points`] counts: what a step is worth, and what a program has earned;
//! * [`result`] is what came of one program, as a file that other systems can read;
//! * [`digest`] and [`time`] say of a submission which one it is, and from when;
//! * [`intake`] takes the sources out of what was handed in;
//! * [`course`] is what submissions are graded with;
//! * [`compile`] is the compiler in the sandbox;
//! * [`check`] runs the steps of a chapter;
//! * [`texts`] is what people read of a result;
//! * [`store`] keeps results in a folder;
//! * [`variant`] draws an exercise and a program with a fault for each student;
//! * [`run`] grades all that is handed in;
//! * [`merge`] brings the results of several runs together;
//! * [`writers`] are the formats of other systems, and [`export`] writes them;
//! * [`package`] is what a teacher uploads to another system.

pub mod points;
pub mod result;
pub mod digest;
pub use xtask::shared::time;
pub mod intake;
pub mod course;
pub mod compile;
pub mod check;
pub mod texts;
pub mod store;
pub mod variant;
pub mod run;
pub mod merge;
pub mod writers;
pub mod export;
pub mod package;
