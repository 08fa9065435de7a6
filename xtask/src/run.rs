//! `cargo xtask run CHAPTER [-- ARGS…]`: the learner's program in a sandbox.

use std::fs::File;
use std::io::{self, IsTerminal as _, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::process::ExitCode;
use std::thread::{self, JoinHandle};

use harness::doctor;
use harness::sandbox::{Excess, Run, Sandbox, State, Status, Wait};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

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
    io::stdin().is_terminal() && io::stdout().is_terminal()
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
    let (sandbox, carriers) = if terminal {
        let kind = std::env::var("TERM").unwrap_or_else(|_| "dumb".into());
        (sandbox.env("TERM", &kind).terminal(), None)
    } else {
        let (standard, carriers) = own_standard(streams).map_err(|error| {
            Failure::new(format!("could not pass input and output on: {error}"))
        })?;
        (sandbox.standard(standard), Some(carriers))
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
    carriers.into_iter().for_each(Carriers::finish);
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
/// library opens it before `main`, so that no file takes its number. One that is a terminal stays
/// with us, for whoever has it can change its settings: bytes are carried to it and from it.
fn own_standard(streams: Streams) -> io::Result<([OwnedFd; 3], Carriers)> {
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let (ended, end) = io::pipe()?;
    let mut carriers = Carriers { end, threads: Vec::new() };
    let mut input = stdin.as_fd().try_clone_to_owned()?;
    if input.is_terminal() {
        let (reader, writer) = io::pipe()?;
        let (from, to) = (File::from(input), writer);
        // Nobody waits for this one: it may be waiting for a key.
        thread::spawn(move || io::copy(&mut &from, &mut &to));
        input = reader.into();
    }
    let mut output = |fd: BorrowedFd| -> io::Result<OwnedFd> {
        let output = fd.try_clone_to_owned()?;
        if !output.is_terminal() {
            return Ok(output);
        }
        let (reader, writer) = io::pipe()?;
        let ended = ended.try_clone()?;
        carriers.threads.push(thread::spawn(move || carry(&reader, &File::from(output), &ended)));
        Ok(writer.into())
    };
    let out = output(if streams == Streams::Own { stdout.as_fd() } else { stderr.as_fd() })?;
    let error = output(stderr.as_fd())?;
    Ok(([input, out, error], carriers))
}

/// Threads that carry a program's output to our terminal. The sandbox has the other ends of their
/// pipes for as long as it is there, so its end does not tell them that of the program.
struct Carriers {
    end: PipeWriter,
    threads: Vec<JoinHandle<()>>,
}

impl Carriers {
    /// Waits until all that was printed has arrived.
    fn finish(self) {
        drop(self.end);
        for thread in self.threads {
            _ = thread.join();
        }
    }
}

/// Until `ended` hangs up and nothing is left, or somebody has closed an end.
fn carry(mut from: &PipeReader, mut to: &File, ended: &PipeReader) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let mut ready = [from.as_fd(), ended.as_fd()].map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        if poll(&mut ready, PollTimeout::NONE).is_err_and(|errno| errno != Errno::EINTR) {
            return;
        }
        match (ready[0].any(), ready[1].any()) {
            (Some(true), _) => match from.read(&mut buffer) {
                Ok(length @ 1..) if to.write_all(&buffer[..length]).is_ok() => {}
                _ => return,
            },
            (_, Some(true)) => return,
            _ => {}
        }
    }
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
