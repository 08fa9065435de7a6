//! The reader's terminal and the one inside.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use nix::pty::{Winsize, openpty};
use nix::sys::signal::Signal;

use crate::session::{Session, is_running, within_moments};

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
fn the_terminal_inside_grows_with_the_readers() {
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

/// As with `> FILE`. A program that has the terminal itself can change its settings.
#[test]
fn a_terminal_at_one_end_stays_outside() {
    let pty = openpty(None, None).unwrap();
    let end = || Stdio::from(pty.slave.try_clone().unwrap());
    let mut shell = Command::new(cargo_bin!("play"));
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
