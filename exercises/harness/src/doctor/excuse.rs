//! Whether this machine may be the reason for which a step has failed.
//!
//! A refusal ends a check before the program has run. What is used up only while it runs is looked at
//! afterwards, and only if a step has failed, because a program that passes had enough of it.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use super::Advice;
use super::advice;
use super::facts::Facts;
use lab::probe;
use lab::sandbox::{Refusal, patience};
use nix::errno::Errno;

/// Steps that run beside this one may need the last processes for a moment.
const TRIES: u32 = 4;
const PAUSE: Duration = Duration::from_millis(40);

/// What a right program needs and this machine does not have at the moment. `timed_out` says that
/// something was awaited in vain.
pub fn excuse(timed_out: bool) -> Option<(Refusal, Advice)> {
    let starved = if timed_out { starved() } else { None };
    let refusal = starved.or_else(too_few_processes)?;
    let advice = advice::of(&refusal, &Facts::read());
    Some((refusal, advice))
}

fn too_few_processes() -> Option<Refusal> {
    let probe = probe::ALL.iter().find(|probe| probe.name == "processes")?;
    let mut refused = probe.ask().err()?;
    for _ in 1..TRIES {
        sleep(PAUSE);
        refused = probe.ask().err()?;
    }
    Some(refused)
}

/// How long this process has waited for a processor (the second number of `/proc/PID/schedstat`, in
/// nanoseconds): as long as it, the program may have waited, and then it was not too slow by itself.
fn starved() -> Option<Refusal> {
    let text = fs::read_to_string("/proc/self/schedstat").ok()?;
    let waited = Duration::from_nanos(text.split_ascii_whitespace().nth(1)?.parse().ok()?);
    // Less is usual where many checks run beside each other, also if a caller has little patience.
    (waited > patience().max(Duration::from_secs(5)) / 5).then(|| Refusal {
        at: "processor".into(),
        call: format!("waiting for a processor, {:.1} s", waited.as_secs_f64()),
        errno: Errno::ETIMEDOUT,
    })
}
