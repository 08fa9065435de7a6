//! The lab in which a challenge is tried.

use harness::sandbox::{Sandbox, State};

use crate::table::Challenge;

/// The variable with which the reader's shell is started when everything is set up.
pub const READY: &str = "CHALLENGE";

/// A lab whose shell sets up what the challenge needs, and then becomes `shell`, a command.
pub fn sandbox(challenge: &Challenge, shell: &str) -> Sandbox {
    let Challenge { name, setup, .. } = challenge;
    let script = format!("{setup}\n{READY}={name} exec {shell}");
    let state = if challenge.as_plain_user { State::PlainUser } else { State::RootLab };
    Sandbox::command("/bin/sh").args(["-c", &script]).state(state).many_ids().cgroups()
}
