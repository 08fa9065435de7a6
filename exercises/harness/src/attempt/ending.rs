//! How a program ended, in words.

use lab::look::Process;
use lab::random;
use lab::sandbox::{self, Sandbox, Status, Wait};
use nix::sys::signal::Signal;

use super::Attempt;
use crate::report::Report;

impl Attempt {
    /// The exit status, or the signal.
    pub(super) fn status(&self) -> String {
        match self.run.ended().map(|ended| ended.status) {
            Some(Status::Exited(code)) => match self.released {
                Some(status) if code == i32::from(status) => "COMMAND's".to_owned(),
                Some(_) => format!("{code}, not COMMAND's"),
                None => code.to_string(),
            },
            Some(Status::Killed(signal)) => format!("killed by {}", signal_name(signal)),
            None => "unknown".to_owned(),
        }
    }

    /// Why a wait came to nothing.
    pub(super) fn stopped(&self, wait: Wait) -> String {
        match wait {
            Wait::TimedOut => {
                let patience = self.run.patience().unwrap_or_else(sandbox::patience);
                let seconds = patience.as_secs_f64();
                let mut text = format!("still running after {seconds} s");
                if let Some(call) = self.run.program().waits_in() {
                    text += &format!(", in {call}");
                }
                let children = self.run.program().children();
                let alive = children.iter().find(|child| !child.has_ended());
                if let Some(call) = alive.and_then(Process::waits_in) {
                    text += &format!("; its child in {call}");
                }
                text
            }
            wait => wait.stopped().unwrap_or_else(|| self.status()),
        }
    }
}

/// Runs the program once more, with a COMMAND whose exit status is more than a signed byte holds, and
/// enters the end. `program` has all arguments except those from `--` on.
pub fn high_status(report: &mut Report, program: Sandbox) {
    let status = 200 + random() % 50;
    let shell = ["--", "/bin/sh", "-c", &format!("exit {status}")];
    let finished = Attempt::start(program.args(shell)).finish();
    report.role(&format!("exit status {status},"), "exit status HIGH,");
    report.ending("a COMMAND with a high status", &finished);
}

fn signal_name(number: i32) -> String {
    match Signal::try_from(number) {
        Ok(signal) => signal.as_str().to_owned(),
        Err(_) => format!("signal {number}"),
    }
}
