//! `cargo xtask run CHAPTER [-- ARGS…]`: the learner's program in a sandbox.

use std::fs::File;
use std::io::{self, IsTerminal as _, PipeReader, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::process::ExitCode;
use std::thread::{self, JoinHandle};

use harness::doctor;
use harness::sandbox::{Run, Sandbox, State, Status};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{read, write};

use terminal::End;
use xtask::shared::arguments::{Argument, Arguments};
use xtask::shared::cargo::Built;
use xtask::shared::failure::{Failure, Result};
use xtask::shared::play::RUN;
use xtask::shared::runnable::Runnable;
use xtask::shared::screen::{self, Screen};

mod terminal;

pub(crate) fn run(arguments: Arguments) -> Result {
    let mut arguments = arguments.for_program();
    let (mut state, mut runnable) = (State::RootLab, None);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("as") => state = as_state(&mut arguments)?,
            Argument::Value(name) if runnable.is_none() => runnable = Some(Runnable::find(name)?),
            other => return Err(RUN.unexpected(other)),
        }
    }
    let runnable = runnable.ok_or_else(|| RUN.needs("a chapter"))?;
    match runnable.build(Screen::stdout())? {
        Built::Yes(program) => {
            in_sandbox(Sandbox::new(program).args(arguments.program()).state(state))
        }
        // The compiler has said why.
        Built::No => Ok(ExitCode::FAILURE),
    }
}

/// The value of `--as`.
pub(crate) fn as_state(arguments: &mut Arguments) -> Result<State> {
    let asked = arguments.value("root-lab or plain-user")?;
    let known = [State::RootLab, State::PlainUser];
    known.into_iter().find(|state| asked == state.name()).ok_or_else(|| {
        let asked = asked.display();
        Failure::usage(format!("`--as` takes root-lab or plain-user, not `{asked}`"))
    })
}

/// Whether standard input and standard output are a terminal.
pub(crate) fn has_terminal() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// Where a program's output goes when it has no terminal of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    Own,
    /// All of it goes to standard error, because standard output is for something else.
    Aside,
}

/// Runs it with the reader's input and output. Returns the program's exit status; for a signal 128 and
/// its number.
pub(crate) fn in_sandbox(sandbox: Sandbox) -> Result {
    to_its_end(sandbox, Streams::Own).map(|(_, code)| code)
}

/// Runs it to its end: on a terminal of its own if this command has one, otherwise on pipes. Also
/// returns the exit status to pass on.
pub(crate) fn to_its_end(sandbox: Sandbox, streams: Streams) -> Result<(Run, ExitCode)> {
    watched(sandbox, streams, |_| Ok(()))
}

/// The same; `watch` is called once when the program has started.
pub(crate) fn watched(
    sandbox: Sandbox,
    streams: Streams,
    watch: impl FnOnce(&Run) -> Result<()>,
) -> Result<(Run, ExitCode)> {
    let sandbox = sandbox.patience(None).cgroups();
    let terminal = has_terminal();
    let (sandbox, carriers) = if terminal {
        let kind = std::env::var("TERM").unwrap_or_else(|_| "dumb".into());
        (sandbox.env("TERM", &kind).terminal(), None)
    } else {
        let (standard, carriers) = pipes(streams).map_err(|error| {
            Failure::machine(format!("could not pass on input and output: {error}"))
        })?;
        (sandbox.standard(standard), Some(carriers))
    };
    let mut run = sandbox.start().map_err(|error| {
        let advice = doctor::explain(&error);
        Failure::machine(format!("could not make a sandbox: {error}\n{}", advice.cause))
            .help(advice.remedy)
    })?;
    watch(&run)?;
    if terminal {
        let end = terminal::connect(&run)
            .map_err(|errno| Failure::new(format!("could not connect the terminal: {errno}")))?;
        if let End::Signal(signal) = end {
            // Dropping the run ends every process in it.
            return Ok((run, ExitCode::from(128 + signal as u8)));
        }
    }
    let wait = run.await_end();
    let arrived = carriers.map_or(Ok(()), Carriers::finish);
    match wait.stopped() {
        Some(why) => screen::warn(&format!("{why}\n")),
        None if run.ended().is_none() => {
            screen::warn("stopped: a process outside ended the sandbox\n");
        }
        None => {}
    }
    let mut code = match run.ended().map(|ended| ended.status) {
        Some(Status::Exited(code)) => code as u8,
        Some(Status::Killed(signal)) => 128 + signal as u8,
        None => 128 + libc::SIGKILL as u8,
    };
    if let Err(errno) = arrived {
        // Output that is cut short must not look complete, and the program may not have noticed.
        screen::warn(&format!("error: could not write what it printed: {}\n", errno.desc()));
        code = code.max(1);
    }
    Ok((run, ExitCode::from(code)))
}

/// Pipes for the program, and threads that carry bytes between them and the reader's files. None of the
/// reader's descriptors gets inside: a program can open a file once more by way of `/proc/self/fd` and
/// empty it, leave a folder by its `..`, and change the settings of a terminal or a pipe for all of its
/// users. Input that the program does not read is read all the same, as ssh(1) does it.
///
/// A standard descriptor that was closed when this command started is `/dev/null` by now: the standard
/// library opens it before `main`, so that no other file gets its number.
fn pipes(streams: Streams) -> io::Result<([OwnedFd; 3], Carriers)> {
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let (ended, end) = io::pipe()?;
    let mut carriers = Carriers { end, threads: Vec::new() };
    let mut output = |fd: BorrowedFd| -> io::Result<OwnedFd> {
        let (from, inside) = io::pipe()?;
        // The program can open this pipe for reading as well, and empty it after poll(2) has returned.
        fcntl(&from, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let (to, ended) = (fd.try_clone_to_owned()?, ended.try_clone()?);
        let carry = move || carry_out(&from, &to, &ended);
        carriers.threads.push(thread::Builder::new().spawn(carry)?);
        Ok(inside.into())
    };
    let error = output(stderr.as_fd())?;
    let out = match streams {
        Streams::Own if !same_file(stdout.as_fd(), stderr.as_fd())? => output(stdout.as_fd())?,
        // Two streams to one file go through one pipe, so that they stay in order.
        _ => error.try_clone()?,
    };
    let (inside, to) = io::pipe()?;
    let from = stdin.as_fd().try_clone_to_owned()?;
    // This thread is not joined: it may be waiting for a key.
    thread::Builder::new().spawn(move || carry_in(&from, &to))?;
    Ok(([inside.into(), out, error], carriers))
}

fn same_file(one: BorrowedFd, other: BorrowedFd) -> io::Result<bool> {
    let metadata = |fd: BorrowedFd| File::from(fd.try_clone_to_owned()?).metadata();
    let (one, other) = (metadata(one)?, metadata(other)?);
    Ok((one.dev(), one.ino()) == (other.dev(), other.ino()))
}

/// Threads that carry a program's output outside. The sandbox holds the other ends of their pipes for
/// as long as it exists, so an end-of-file does not tell them that the program has ended.
struct Carriers {
    end: PipeWriter,
    threads: Vec<JoinHandle<nix::Result<()>>>,
}

impl Carriers {
    /// Waits until everything that was printed has arrived.
    fn finish(self) -> nix::Result<()> {
        drop(self.end);
        let mut arrived = Ok(());
        for thread in self.threads {
            arrived = arrived.and(thread.join().unwrap_or(Err(Errno::EIO)));
        }
        arrived
    }
}

const BUFFER: usize = 16 * 1024;

/// Copies until `ended` hangs up and nothing is left, or until the output has no reader any more. Then
/// it returns and so closes the pipe: the program gets SIGPIPE, as it would from the reader's own pipe.
fn carry_out(from: &PipeReader, to: &OwnedFd, ended: &PipeReader) -> nix::Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        // poll(2) looks at `ended` first, so what was printed before the end is seen together with it.
        let mut ready = [ended, from].map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN));
        match poll(&mut ready, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        let over = ready[0].any() == Some(true);
        // At most what the pipe holds at once: a process that was left behind may print forever.
        let mut most = fcntl(from, FcntlArg::F_GETPIPE_SZ)? as usize;
        while most > 0 {
            match read(from, &mut buffer[..most.min(BUFFER)]) {
                Ok(0) => return Ok(()),
                Ok(length) => {
                    match write_all(to, &buffer[..length]) {
                        Err(Errno::EPIPE) => return Ok(()),
                        written => written?,
                    }
                    most -= length;
                }
                Err(Errno::EAGAIN) => break,
                Err(Errno::EINTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        if over {
            return Ok(());
        }
    }
}

/// Copies until the input ends, or has no reader. Then it returns and so closes the pipe, which the
/// program sees as the end of its input.
fn carry_in(from: &OwnedFd, to: &PipeWriter) {
    let mut buffer = [0; BUFFER];
    loop {
        match read(from, &mut buffer) {
            Ok(0) => return,
            Ok(length) if write_all(to, &buffer[..length]).is_ok() => {}
            Ok(_) => return,
            Err(Errno::EAGAIN) => wait(from, PollFlags::POLLIN),
            Err(Errno::EINTR) => {}
            Err(errno) => {
                screen::warn(&format!("error: could not read the input: {}\n", errno.desc()));
                return;
            }
        }
    }
}

fn write_all(to: impl AsFd, mut bytes: &[u8]) -> nix::Result<()> {
    while !bytes.is_empty() {
        match write(&to, bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(Errno::EAGAIN) => wait(&to, PollFlags::POLLOUT),
            Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

/// Waits for a descriptor of the reader's that does not block. Other processes share that setting, so it
/// stays.
fn wait(fd: impl AsFd, flags: PollFlags) {
    _ = poll(&mut [PollFd::new(fd.as_fd(), flags)], PollTimeout::NONE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_has_two_names() {
        let state = |words: &[&str]| {
            let mut arguments = Arguments::new(words.iter().copied());
            arguments.next().unwrap();
            as_state(&mut arguments)
        };
        assert_eq!(state(&["--as", "plain-user"]).unwrap(), State::PlainUser);
        assert_eq!(state(&["--as=root-lab"]).unwrap(), State::RootLab);
        for wrong in [&["--as"][..], &["--as="], &["--as", "root"]] {
            assert!(state(wrong).is_err(), "{wrong:?}");
        }
    }
}
