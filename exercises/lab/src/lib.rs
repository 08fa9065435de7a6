//! The lab: runs any program in a throwaway sandbox, looks at it from outside, and records what it
//! does to its namespaces. Nothing here judges.
//!
//! Each module imports only those above it (`tests/layers.rs` asserts that):
//!
//! * [`env`] reads environment variables;
//! * [`sys`], [`seccomp`], [`random`]: system calls that nix lacks, filters, random values;
//! * [`look`] reads from outside which namespaces a process is in, and what is in them;
//! * [`record`] follows a program through its namespace calls;
//! * [`helper`] is the transport to the supervisor process;
//! * [`sandbox`] runs a program so that this machine stays as it is;
//! * [`visit`] enters namespaces and looks, mounts or connects there;
//! * [`sketch`] sees a running lab as a trace, so that it can be drawn;
//! * [`probe`] tries what this machine allows.

pub mod env;
mod sys;
mod seccomp;
mod random;
pub mod look;
pub mod record;
mod helper;
pub mod sandbox;
pub mod visit;
pub mod sketch;
pub mod probe;

#[cfg(test)]
mod fuzz;

pub use random::{absent_pid, letters, moment, random, token};

/// What the supervisor can be asked for, by the first byte of a request.
const JOBS: [(u8, helper::supervisor::Job); 4] = [
    (sandbox::JOB, sandbox::fork_sandbox),
    (visit::JOB, visit::fork_visitor),
    (visit::filler::JOB, visit::filler::fork_filler),
    (probe::JOB, probe::fork_probe),
];

// SAFETY: the C library calls each function in this section once, before main, in the only thread.
#[used]
#[unsafe(link_section = ".init_array")]
static ENTRY: extern "C" fn() = entry;

/// Cargo builds no second program for a library, so the supervisor is this program, started again.
extern "C" fn entry() {
    helper::supervisor::serve_if_marked(&JOBS);
}
