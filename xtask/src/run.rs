//! `cargo xtask run CHAPTER [-- ARGS…]`: the learner's program in a sandbox.

use std::io::IsTerminal as _;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::ExitCode;

use harness::doctor;
use harness::sandbox::{Excess, Run, Sandbox, State, Status, Wait};

use crate::cargo::{Built, build_program};
use crate::chapter::Chapter;
use crate::failure::{Failure, Result};
use crate::screen::{self, Screen};
use crate::terminal::{self, End};

const USAGE: &str = "cargo xtask run CHAPTER [--as root-lab|plain-user] [-- ARGS…]";

pub(crate) fn run(words: &[&str]) -> Result {
    let (options, arguments) = match words.iter().position(|word| *word == "--") {
        Some(dashes) => (&words[..dashes], &words[dashes + 1..]),
        None => (words, &[][..]),
    };
    let (state, names) = state(options, USAGE)?;
    let [chapter] = names.as_slice() else {
        return Err(Failure::usage("run takes one chapter").help(USAGE));
    };
    let chapter = Chapter::find(chapter)?;
    match build_program(&chapter.name, Screen::stdout())? {
        Built::Yes(program) => {
            in_sandbox(Sandbox::new(program).args(arguments.iter().copied()).state(state))
        }
        // The compiler has said why.
        Built::No => Ok(ExitCode::FAILURE),
    }
}

/// Takes `--as STATE` out of the words.
pub(crate) fn state<'a>(words: &[&'a str], usage: &str) -> Result<(State, Vec<&'a str>)> {
    let mut state = State::RootLab;
    let mut others = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if *word != "--as" {
            others.push(*word);
            continue;
        }
        let asked = words.next().copied().unwrap_or_default();
        let known = [State::RootLab, State::PlainUser];
        state = known.into_iter().find(|state| state.name() == asked).ok_or_else(|| {
            Failure::usage(format!("--as takes root-lab or plain-user, not `{asked}`")).help(usage)
        })?;
    }
    Ok((state, others))
}

/// Whether a reader sits at both ends.
pub(crate) fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Where a program's output goes when it has no terminal of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    Own,
    /// All of it to standard error: standard output is for something else.
    Aside,
}

/// Runs it where the reader is. Exits as the program does, with 128 and the number for a signal.
pub(crate) fn in_sandbox(sandbox: Sandbox) -> Result {
    live(sandbox, Streams::Own).map(|(_, code)| code)
}

/// Runs it to its end: on a terminal of its own if we have one, otherwise on our own input and
/// output. The exit status to pass on comes with it.
pub(crate) fn live(sandbox: Sandbox, streams: Streams) -> Result<(Run, ExitCode)> {
    let sandbox = sandbox.patience(None).cgroups();
    let terminal = has_terminal();
    let sandbox = if terminal {
        let kind = std::env::var("TERM").unwrap_or_else(|_| "dumb".into());
        sandbox.env("TERM", &kind).terminal()
    } else {
        sandbox.standard(own_standard(streams)?)
    };
    let mut run = sandbox.start().map_err(|error| {
        let advice = doctor::explain(&error);
        Failure::machine(format!("could not make a sandbox: {error}\n{}", advice.cause))
            .help(advice.remedy)
    })?;
    if terminal {
        let end = terminal::connect(&run)
            .map_err(|errno| Failure::new(format!("could not connect the terminal: {errno}")))?;
        if let End::Signal(signal) = end {
            // Dropping the run ends everything in it.
            return Ok((run, ExitCode::from(128 + signal as u8)));
        }
    }
    let wait = run.await_end();
    if let Wait::Stopped(excess) = wait {
        let what = match excess {
            Excess::Memory => "it used more than 512 MiB of memory",
            Excess::Processes => "it had too many processes at once",
        };
        screen::warn(&format!("stopped: {what}\n"));
    }
    let code = ExitCode::from(match run.ended().map(|ended| ended.status) {
        Some(Status::Exited(code)) => code as u8,
        Some(Status::Killed(signal)) => 128 + signal as u8,
        None => 128 + libc::SIGKILL as u8,
    });
    Ok((run, code))
}

/// Ours, once more. One that was closed when we started is `/dev/null` by now: the standard
/// library opens it before `main`, so that no file takes its number.
fn own_standard(streams: Streams) -> Result<[OwnedFd; 3]> {
    let (stdin, stdout, stderr) = (std::io::stdin(), std::io::stdout(), std::io::stderr());
    let again = |fd: std::os::fd::BorrowedFd| {
        let again = fd.try_clone_to_owned();
        again.map_err(|error| Failure::new(format!("could not pass input and output on: {error}")))
    };
    let out = if streams == Streams::Own { stdout.as_fd() } else { stderr.as_fd() };
    Ok([again(stdin.as_fd())?, again(out)?, again(stderr.as_fd())?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_is_taken_out_of_the_words() {
        let (known, others) = state(&["ch2", "--as", "plain-user"], USAGE).unwrap();
        assert_eq!((known, others), (State::PlainUser, vec!["ch2"]));
        let (known, others) = state(&[], USAGE).unwrap();
        assert_eq!((known, others), (State::RootLab, vec![]));
        for wrong in [&["--as"][..], &["--as", "root"]] {
            assert!(state(wrong, USAGE).is_err(), "{wrong:?}");
        }
    }
}
