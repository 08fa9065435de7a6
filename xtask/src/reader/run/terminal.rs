//! The reader's terminal, connected to a sandbox's own.
//!
//! A program in a sandbox never gets this machine's terminal: it has one of its own, and bytes are
//! carried between the two. Ours is raw meanwhile, so that Ctrl-C is a byte for the program inside
//! and not a signal for us.

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
    /// This signal wants us to go, or our terminal is gone (SIGHUP).
    Signal(Signal),
}

/// Signals that would end us. They are read, so that the terminal is put right first.
const DEADLY: [Signal; 4] = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGTERM];

/// Our terminal in raw mode, until this is dropped: also when a panic unwinds.
struct Raw<'a> {
    terminal: BorrowedFd<'a>,
    before: Termios,
}

impl<'a> Raw<'a> {
    fn mode(terminal: BorrowedFd<'a>) -> nix::Result<Raw<'a>> {
        let before = tcgetattr(terminal)?;
        let raw = Raw { terminal, before };
        raw.again()?;
        Ok(raw)
    }

    /// After a stop and `fg`, the shell has put its own mode back.
    fn again(&self) -> nix::Result<()> {
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
        // What has not been read acts as it would have.
        _ = self.before.thread_set_mask();
    }
}

/// Bytes on their way in one direction.
#[derive(Default)]
struct Way(Vec<u8>);

impl Way {
    /// Takes what is there; `false` at the end of the stream.
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

    /// Passes on what fits; `false` if nobody is there.
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

/// Carries bytes between our terminal and the run's until one side ends.
///
/// # Errors
///
/// What the terminal or the kernel refused. The terminal is as it was then, too.
pub(crate) fn connect(run: &Run) -> nix::Result<End> {
    let (stdin, stdout) = (std::io::stdin(), std::io::stdout());
    let (keys, screen) = (stdin.as_fd(), stdout.as_fd());
    let inside = run.terminal().ok_or(Errno::ENOTTY)?.as_fd();

    let mut awaited: SigSet = DEADLY.into_iter().collect();
    awaited.add(Signal::SIGWINCH);
    awaited.add(Signal::SIGCONT);
    // Made before the raw mode, so dropped after it: first the terminal, then what a signal does.
    let signals = Signals::take(&awaited)?;
    let raw = Raw::mode(keys)?;
    copy_size(screen, inside);
    let (mut typed, mut printed) = (Way::default(), Way::default());
    loop {
        // One buffer full each way: who does not read makes the other side wait.
        let reading = |way: &Way| way.0.is_empty().then_some(PollFlags::POLLIN);
        let writing = |way: &Way| (!way.0.is_empty()).then_some(PollFlags::POLLOUT);
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
                    raw.again()?;
                    copy_size(screen, inside);
                }
                Ok(deadly) => return Ok(End::Signal(deadly)),
                Err(_) => {}
            }
        }
        // A terminal without its other side reports a hangup, and reads as an error.
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
        // The end is news, and so is nobody holding the terminal inside any more. Whatever was
        // printed before comes first.
        let over = !ready[1].is_empty() || gone(ready[3]);
        if over && !ready[3].contains(PollFlags::POLLIN) {
            flush(&mut printed, screen);
            return Ok(End::Program);
        }
    }
}

/// Writes what is left, as long as somebody takes it.
fn flush(printed: &mut Way, screen: BorrowedFd) {
    while !printed.0.is_empty() && printed.empty(screen) {}
}

/// Tells the terminal inside how large ours is; the kernel sends SIGWINCH there.
fn copy_size(ours: BorrowedFd, inside: BorrowedFd) {
    // SAFETY: zero is a valid winsize; TIOCGWINSZ writes one and TIOCSWINSZ reads one.
    unsafe {
        let mut size: libc::winsize = std::mem::zeroed();
        if libc::ioctl(ours.as_raw_fd(), libc::TIOCGWINSZ, &raw mut size) == 0 {
            libc::ioctl(inside.as_raw_fd(), libc::TIOCSWINSZ, &raw const size);
        }
    }
}
