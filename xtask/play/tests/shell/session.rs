//! A reader at a terminal.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::{Pid, setsid};

/// A shell on a terminal at which the test plays the reader.
pub(crate) struct Session {
    pub(crate) shell: Child,
    pub(crate) reader: fs::File,
    /// Keeps the terminal open when the shell has ended.
    pub(crate) terminal: OwnedFd,
    seen: String,
}

impl Session {
    pub(crate) fn start() -> Session {
        let size = Winsize { ws_row: 33, ws_col: 77, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        for fd in [&pty.master, &pty.slave] {
            // The shells of other tests must not keep this terminal open.
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
        }
        let end = || Stdio::from(pty.slave.try_clone().unwrap());
        let mut command = Command::new(cargo_bin!("play"));
        command.arg("shell").env("TERM", "vt100").stdin(end()).stdout(end()).stderr(end());
        // SAFETY: setsid and ioctl are async-signal-safe.
        unsafe {
            command.pre_exec(|| {
                setsid()?;
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let shell = command.spawn().unwrap();
        fcntl(&pty.master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let reader = fs::File::from(pty.master);
        let mut session = Session { shell, reader, terminal: pty.slave, seen: String::new() };
        session.expect("lab# ");
        session
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.reader.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads until `text` has been printed, and forgets everything up to it.
    pub(crate) fn expect(&mut self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(at) = self.seen.find(text) {
                self.seen.drain(..at + text.len());
                return;
            }
            assert!(Instant::now() < deadline, "waited for {text:?} and saw {:?}", self.seen);
            let mut buffer = [0; 4096];
            match self.reader.read(&mut buffer) {
                Ok(length) => self.seen += &String::from_utf8_lossy(&buffer[..length]),
                Err(_) => sleep(Duration::from_millis(2)),
            }
        }
    }

    pub(crate) fn is_raw(&self) -> bool {
        !tcgetattr(&self.terminal).unwrap().local_flags.contains(LocalFlags::ECHO)
    }

    pub(crate) fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.shell.id() as i32), signal).unwrap();
    }

    pub(crate) fn ends(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            // Closing a terminal waits until its output has been read.
            _ = self.reader.read(&mut [0; 4096]);
            if let Some(status) = self.shell.try_wait().unwrap() {
                return status;
            }
            sleep(Duration::from_millis(2));
        }
        panic!("the shell is still there");
    }

    /// An argument of sleep(1) that no other process of this machine has.
    pub(crate) fn mark(&self) -> String {
        format!("9{}.{:09}", std::process::id(), self.reader.as_raw_fd())
    }

    /// Starts a process inside that can be recognized from outside.
    pub(crate) fn start_marked(&mut self) -> String {
        let mark = self.mark();
        self.types(&format!("setsid nohup sleep {mark} & echo start''ed\n"));
        self.expect("started");
        within_moments(|| is_running(&mark), "it runs");
        mark
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // Also when the test fails.
        _ = self.shell.kill();
    }
}

pub(crate) fn is_running(mark: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| {
        let line = String::from_utf8_lossy(&line).into_owned();
        line.split('\0').next().is_some_and(|name| name.ends_with("sleep")) && line.contains(mark)
    })
}

pub(crate) fn within_moments(reached: impl Fn() -> bool, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !reached() {
        assert!(Instant::now() < deadline, "never: {what}");
        sleep(Duration::from_millis(5));
    }
}
