//! `run` and `shell`: with a terminal and without, and nothing is left of either.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::unistd::{Pid, setsid};

/// A shell of ours on a terminal that the test plays the reader at.
struct Session {
    shell: Child,
    reader: fs::File,
    /// Keeps the terminal there when the shell has gone.
    terminal: OwnedFd,
    seen: String,
}

impl Session {
    fn start() -> Session {
        let size = Winsize { ws_row: 33, ws_col: 77, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        for fd in [&pty.master, &pty.slave] {
            // The shells of other tests must not keep this terminal open.
            fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
        }
        let end = || Stdio::from(pty.slave.try_clone().unwrap());
        let mut command = Command::new(cargo_bin!("xtask"));
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

    fn types(&mut self, keys: &str) {
        self.reader.write_all(keys.as_bytes()).unwrap();
    }

    /// Reads until `text` has been printed, and forgets everything up to it.
    fn expect(&mut self, text: &str) {
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

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.terminal).unwrap().local_flags.contains(LocalFlags::ECHO)
    }

    fn send(&self, signal: Signal) {
        kill(Pid::from_raw(self.shell.id() as i32), signal).unwrap();
    }

    fn ends(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            // A terminal that nobody reads makes whoever closes it wait.
            _ = self.reader.read(&mut [0; 4096]);
            if let Some(status) = self.shell.try_wait().unwrap() {
                return status;
            }
            sleep(Duration::from_millis(2));
        }
        panic!("the shell is still there");
    }

    /// How long a sleep has to be, so that no other of this machine is as long.
    fn mark(&self) -> String {
        format!("9{}.{:09}", std::process::id(), self.reader.as_raw_fd())
    }

    /// Starts a process inside that can be recognised from outside.
    fn start_marked(&mut self) -> String {
        let mark = self.mark();
        self.types(&format!("setsid nohup sleep {mark} & echo start''ed\n"));
        self.expect("started");
        within_moments(|| is_running(&mark), "it runs");
        mark
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // A test that fails ends its shell, too.
        _ = self.shell.kill();
    }
}

fn is_running(mark: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut lines = processes.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    lines.any(|line| {
        let line = String::from_utf8_lossy(&line).into_owned();
        line.split('\0').next().is_some_and(|name| name.ends_with("sleep")) && line.contains(mark)
    })
}

fn within_moments(reached: impl Fn() -> bool, what: &str) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !reached() {
        assert!(Instant::now() < deadline, "never: {what}");
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_shell_on_a_terminal() {
    let mut session = Session::start();
    assert!(session.is_raw());
    session.types("stty size; echo $TERM; tty\n");
    session.expect("33 77");
    session.expect("vt100");
    session.expect("/dev/pts/0");
    // Ctrl-C is for the program inside.
    let mark = session.mark();
    session.types(&format!("sleep {mark}\n"));
    within_moments(|| is_running(&mark), "it runs");
    session.types("\x03");
    session.expect("lab# ");
    session.types("echo still he''re\n");
    session.expect("still here");
    session.types("exit 5\n");
    assert_eq!(session.ends().code(), Some(5));
    assert!(!session.is_raw(), "the terminal is as it was");
}

#[test]
fn the_terminal_inside_grows_with_ours() {
    let mut session = Session::start();
    let size = Winsize { ws_row: 11, ws_col: 44, ws_xpixel: 0, ws_ypixel: 0 };
    // SAFETY: TIOCSWINSZ reads one winsize.
    unsafe { libc::ioctl(session.terminal.as_raw_fd(), libc::TIOCSWINSZ, &raw const size) };
    session.send(Signal::SIGWINCH);
    session.types("until [ \"$(stty size)\" = '11 44' ]; do :; done; echo gro''wn\n");
    session.expect("grown");
    session.types("exit\n");
    assert!(session.ends().success());
}

#[test]
fn a_signal_ends_it_and_leaves_the_terminal_in_order() {
    for (signal, status) in [(Signal::SIGTERM, 143), (Signal::SIGHUP, 129), (Signal::SIGINT, 130)] {
        let mut session = Session::start();
        let mark = session.start_marked();
        session.send(signal);
        assert_eq!(session.ends().code(), Some(status));
        assert!(!session.is_raw(), "the terminal is as it was");
        within_moments(|| !is_running(&mark), "nothing is left");
    }
}

#[test]
fn kill_9_leaves_nothing_running() {
    let mut session = Session::start();
    let mark = session.start_marked();
    session.send(Signal::SIGKILL);
    assert_eq!(session.ends().signal(), Some(9));
    within_moments(|| !is_running(&mark), "nothing is left");
}

#[test]
fn closing_the_terminal_leaves_nothing_running() {
    let mut session = Session::start();
    let mark = session.start_marked();
    let null = || fs::File::open("/dev/null").unwrap();
    (session.reader, session.terminal) = (null(), null().into());
    session.shell.wait().unwrap();
    within_moments(|| !is_running(&mark), "nothing is left");
}

#[test]
fn without_a_terminal_commands_come_from_standard_input() {
    let mut shell = assert_cmd::Command::new(cargo_bin!("xtask"));
    let shell = shell.arg("shell").write_stdin("id -u; echo oops >&2; exit 7\n").assert();
    shell.code(7).stdout("0\n").stderr("oops\n");
}

/// With `> FILE` and the like. Whoever has the terminal itself can change its settings.
#[test]
fn a_terminal_at_one_end_stays_outside() {
    let pty = openpty(None, None).unwrap();
    let end = || Stdio::from(pty.slave.try_clone().unwrap());
    let mut shell = Command::new(cargo_bin!("xtask"));
    shell.arg("shell").stdin(end()).stdout(Stdio::piped()).stderr(end());
    let shell = shell.spawn().unwrap();
    let mut reader = fs::File::from(pty.master);
    reader.write_all(b"test -t 0 || test -t 2 || echo none\necho aside >&2\nexit 3\n").unwrap();
    let output = shell.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(3), &b"none\n"[..]));
    let mut buffer = [0; 4096];
    let length = reader.read(&mut buffer).unwrap();
    let said = String::from_utf8_lossy(&buffer[..length]);
    assert!(said.contains("\naside"), "{said:?}");
}

/// The sessions of the pages call the solutions by the exercises' names.
#[test]
fn a_shell_with_the_solutions() {
    let mut shell = assert_cmd::Command::new(cargo_bin!("xtask"));
    let session = "ch02-unshare otter -- uname -n; ls /lab | grep -c solution\n";
    shell.args(["shell", "--solutions"]).write_stdin(session).assert().stdout("otter\n0\n");
    let mut shell = assert_cmd::Command::new(cargo_bin!("xtask"));
    let said = shell.args(["shell", "--solved"]).assert().code(2).get_output().stderr.clone();
    assert!(String::from_utf8_lossy(&said).contains("does not know `--solved`"));
}

#[test]
fn the_plain_user_is_not_root() {
    let mut shell = assert_cmd::Command::new(cargo_bin!("xtask"));
    shell.args(["shell", "--as", "plain-user"]).write_stdin("id -u").assert().stdout("1000\n");
}

#[test]
fn a_signal_inside_is_128_and_its_number() {
    let mut shell = assert_cmd::Command::new(cargo_bin!("xtask"));
    shell.arg("shell").write_stdin("kill -9 $$").assert().code(137);
}
