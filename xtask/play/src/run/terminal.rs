//! The reader's terminal, connected to a sandbox's own.
//!
//! A program in a sandbox never gets this machine's terminal: it has one of its own, and bytes are
//! carried between the two. The reader's terminal is in raw mode meanwhile, so that Ctrl-C is a byte for
//! the program inside and no signal for this process.

use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};

use harness::sandbox::Run;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::{read, write};

/// How the connection came to its end.
pub(crate) enum End {
    /// The program has ended, or has been stopped.
    Program,
    /// This process got the signal; SIGHUP also stands for a terminal that is gone.
    Signal(Signal),
}

/// Signals that would end this process. They are read, so that the terminal is restored first.
const FATAL: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// The reader's terminal in raw mode. Dropping it restores the mode, also when a panic unwinds.
struct Raw<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
}

impl<'a> Raw<'a> {
    fn mode(terminal: BorrowedFd<'a>) -> nix::Result<Raw<'a>> {
        let before = tcgetattr(terminal)?;
        let raw = Raw { terminal, before };
        raw.set()?;
        Ok(raw)
    }

    /// To be called again after a stop and `fg`, because the shell has restored its own mode.
    fn set(&self) -> nix::Result<()> {
        let mut raw = self.before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(self.terminal, SetArg::TCSADRAIN, &raw)
    }
}

impl Drop for Raw<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no mode.
        _ = tcsetattr(self.terminal, SetArg::TCSADRAIN, &self.before);
    }
}

/// Signals that are read from a descriptor until this is dropped.
struct Signals {
    fd: SignalFd,
    before: SigSet,
}

impl Signals {
    fn take(awaited: &SigSet) -> nix::Result<Signals> {
        let before = SigSet::thread_get_mask()?;
        awaited.thread_block()?;
        let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
        Ok(Signals { fd: SignalFd::with_flags(awaited, flags)?, before })
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // A signal that has not been read acts now as it would have.
        _ = self.before.thread_set_mask();
    }
}

/// Bytes on their way in one direction.
#[derive(Default)]
struct Buffer(Vec<u8>);

impl Buffer {
    /// Reads what is available; `false` at the end of the stream.
    fn fill(&mut self, from: BorrowedFd) -> bool {
        let mut buffer = [0; 1024];
        match read(from, &mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                self.0.extend(&buffer[..length]);
                true
            }
            Err(errno) => matches!(errno, Errno::EINTR | Errno::EAGAIN),
        }
    }

    /// Writes as much as the other side takes; `false` if there is none.
    fn empty(&mut self, to: BorrowedFd) -> bool {
        match write(to, &self.0) {
            Ok(length) => {
                self.0.drain(..length);
                true
            }
            Err(errno) => matches!(errno, Errno::EINTR | Errno::EAGAIN),
        }
    }
}

/// Carries bytes between the reader's terminal and the run's until one side ends.
///
/// # Errors
///
/// What the terminal or the kernel refused. The terminal's mode is restored then, too.
pub(crate) fn connect(run: &Run) -> nix::Result<End> {
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    let (keys, screen) = (stdin.as_fd(), stdout.as_fd());
    let inside = run.terminal().ok_or(Errno::ENOTTY)?.as_fd();

    let mut awaited: SigSet = FATAL.into_iter().collect();
    awaited.add(Signal::SIGWINCH);
    awaited.add(Signal::SIGCONT);
    // Created before the raw mode, so dropped after it: the terminal is restored before a signal acts.
    let signals = Signals::take(&awaited)?;
    let raw = Raw::mode(keys)?;
    copy_size(screen, inside);
    let (mut typed, mut printed) = (Buffer::default(), Buffer::default());
    loop {
        // One buffer for each direction: a side that does not read makes the other one wait.
        let reading = |buffer: &Buffer| buffer.0.is_empty().then_some(PollFlags::POLLIN);
        let writing = |buffer: &Buffer| (!buffer.0.is_empty()).then_some(PollFlags::POLLOUT);
        let flags = |one: Option<PollFlags>, other: Option<PollFlags>| {
            one.unwrap_or(PollFlags::empty()) | other.unwrap_or(PollFlags::empty())
        };
        let mut ready = [
            PollFd::new(signals.fd.as_fd(), PollFlags::POLLIN),
            PollFd::new(run.poll_fd(), PollFlags::POLLIN),
            PollFd::new(keys, flags(reading(&typed), None)),
            PollFd::new(inside, flags(reading(&printed), writing(&typed))),
            PollFd::new(screen, flags(None, writing(&printed))),
        ];
        match poll(&mut ready, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => return Err(errno),
        }
        let ready = ready.map(|fd| fd.revents().unwrap_or(PollFlags::empty()));
        while let Ok(Some(signal)) = signals.fd.read_signal() {
            match Signal::try_from(signal.ssi_signo as i32) {
                Ok(Signal::SIGWINCH) => copy_size(screen, inside),
                Ok(Signal::SIGCONT) => {
                    raw.set()?;
                    copy_size(screen, inside);
                }
                Ok(fatal) => return Ok(End::Signal(fatal)),
                Err(_) => {}
            }
        }
        // A terminal whose other side is closed reports a hangup, and read(2) fails.
        let gone = |flags: PollFlags| flags.intersects(PollFlags::POLLHUP | PollFlags::POLLERR);
        let no_keys = ready[2].contains(PollFlags::POLLIN) && !typed.fill(keys);
        if no_keys || gone(ready[2]) || gone(ready[4]) {
            return Ok(End::Signal(Signal::SIGHUP));
        }
        if ready[3].contains(PollFlags::POLLOUT) && !typed.empty(inside) {
            typed.0.clear();
        }
        if ready[3].contains(PollFlags::POLLIN) {
            _ = printed.fill(inside);
        }
        if ready[4].contains(PollFlags::POLLOUT) && !printed.empty(screen) {
            return Ok(End::Signal(Signal::SIGHUP));
        }
        // The run is over when it reports its end, or when no process inside holds its terminal any
        // more. What was printed before comes first.
        let over = !ready[1].is_empty() || gone(ready[3]);
        if over && !ready[3].contains(PollFlags::POLLIN) {
            flush(&mut printed, screen);
            return Ok(End::Program);
        }
    }
}

/// Writes what is left, as long as the screen takes it.
fn flush(printed: &mut Buffer, screen: BorrowedFd) {
    while !printed.0.is_empty() && printed.empty(screen) {}
}

/// Makes the terminal inside as large as the reader's; the kernel sends SIGWINCH there.
fn copy_size(screen: BorrowedFd, inside: BorrowedFd) {
    // SAFETY: zero is a valid winsize; TIOCGWINSZ writes one and TIOCSWINSZ reads one.
    unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        if libc::ioctl(screen.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) == 0 {
            libc::ioctl(inside.as_raw_fd(), libc::TIOCSWINSZ, &raw const size);
        }
    }
}
