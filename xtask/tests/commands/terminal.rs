//! The commands on a terminal: colour, lines that are drawn over, keys.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};

use assert_cmd::cargo::cargo_bin;
use harness::verdict::{Diagnosis, Verdict};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{Winsize, openpty};
use nix::sys::termios::{Termios, tcgetattr};

use crate::checkout::{Checkout, not_unshared};

/// A command that runs on a terminal of its own.
struct Terminal {
    reader: File,
    terminal: OwnedFd,
    before: Termios,
    child: Child,
    seen: String,
}

impl Terminal {
    fn run(
        checkout: &Checkout,
        words: &str,
        columns: u16,
        environment: &[(&str, &str)],
    ) -> Terminal {
        let size = Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        let pty = openpty(&size, None).unwrap();
        let mut command = Command::new(cargo_bin!("xtask"));
        command
            .args(words.split_whitespace())
            .env("NAMESPACES_BY_HAND_ROOT", &checkout.root)
            .env("CARGO", checkout.root.join("cargo"))
            .env_remove("NO_COLOR")
            .env_remove("TERM")
            .envs(environment.iter().copied())
            .stdin(pty.slave.try_clone().unwrap())
            .stdout(pty.slave.try_clone().unwrap())
            .stderr(pty.slave.try_clone().unwrap());
        let own_session = || {
            nix::unistd::setsid()?;
            // SAFETY: the request takes a number.
            nix::errno::Errno::result(unsafe { libc::ioctl(0, libc::TIOCSCTTY, 0) })?;
            Ok(())
        };
        // SAFETY: both calls are async-signal-safe.
        unsafe { command.pre_exec(own_session) };
        let before = tcgetattr(&pty.slave).unwrap();
        let child = command.spawn().unwrap();
        Terminal {
            reader: pty.master.into(),
            terminal: pty.slave,
            before,
            child,
            seen: String::new(),
        }
    }

    /// Waits until this has been shown, and forgets what was shown up to there.
    fn until(&mut self, text: &str) -> String {
        loop {
            if let Some(end) = self.seen.find(text) {
                return self.seen.drain(..end + text.len()).collect();
            }
            let mut ready = [PollFd::new(self.reader.as_fd(), PollFlags::POLLIN)];
            let in_time = poll(&mut ready, PollTimeout::from(10_000u16)).unwrap() > 0;
            assert!(in_time, "waiting for {text:?}, and there is {:?}", self.seen);
            let mut bytes = [0; 4096];
            let count = self.reader.read(&mut bytes).unwrap();
            self.seen += &String::from_utf8_lossy(&bytes[..count]);
        }
    }

    fn press(&mut self, key: u8) {
        self.reader.write_all(&[key]).unwrap();
    }

    /// The exit status, and whether the terminal is as it was.
    fn end(mut self) -> (Option<i32>, bool) {
        let status = self.child.wait().unwrap().code();
        (status, tcgetattr(&self.terminal).unwrap() == self.before)
    }
}

fn failing(test: &str) -> Checkout {
    let checkout = Checkout::new(test);
    let diagnosis = Diagnosis {
        mistake: "the namespace was not left".into(),
        cause: "A cause that is longer than one line of a terminal with forty columns is.".into(),
        ..Diagnosis::default()
    };
    let failed = Verdict { diagnosis: Some(diagnosis), ..not_unshared() };
    checkout.verdict("ch01-one", "step1_it_runs", &failed);
    checkout
}

/// The last line of a failure.
const LAST: &str = "shows it as a page)";

#[test]
fn colour_is_for_terminals_that_want_it() {
    let checkout = failing("colour");
    let bar = r"printf '    Building [=> ] 3/57: libc\r' >&2; sleep 0.5";
    checkout
        .script("cargo", &checkout.read("cargo").replacen("here=", &format!("{bar}\nhere="), 1));
    let xterm = ("TERM", "xterm");
    let mut terminal = Terminal::run(&checkout, "check ch1", 80, &[xterm]);
    let shown = terminal.until(LAST);
    assert!(shown.contains("\x1b[31mFAIL\x1b[0m"), "{shown:?}");
    assert!(shown.contains("\r\x1b[Kbuilding ch01-one: 3/57, about"), "{shown:?}");
    assert_eq!(terminal.end(), (Some(1), true));

    let shown = Terminal::run(&checkout, "check ch1", 80, &[xterm, ("NO_COLOR", "1")]).until(LAST);
    assert!(!shown.replace("\x1b[K", "").contains('\x1b'), "{shown:?}");

    // Nothing is known about this terminal.
    let shown = Terminal::run(&checkout, "check ch1", 80, &[]).until(LAST);
    assert!(!shown.contains('\x1b'), "{shown:?}");
}

#[test]
fn forty_columns_are_enough() {
    let checkout = failing("narrow");
    let shown = Terminal::run(&checkout, "check ch1", 40, &[]).until("\nedit ");
    for line in shown.lines() {
        assert!(line.chars().count() <= 40, "{line:?}");
    }
    assert!(shown.contains("\nsaw    uts     A    A\r\nwanted uts     A    B\r\n"), "{shown}");
}

#[test]
fn watch_has_keys_and_leaves_the_terminal_as_it_was() {
    let checkout = failing("keys");
    let menu = "[enter] check again";
    let mut terminal = Terminal::run(&checkout, "watch", 80, &[("TERM", "xterm")]);
    assert!(terminal.until(menu).starts_with("\x1b[2J\x1b[H"));
    assert!(tcgetattr(&terminal.terminal).unwrap() != terminal.before);
    terminal.press(b'h');
    terminal.until("hint 1 of 3");
    terminal.until(menu);
    terminal.press(b'\n');
    terminal.until("FAIL");
    terminal.until(menu);
    terminal.press(b'n');
    terminal.until("ch02-two");
    terminal.until(menu);
    terminal.press(b'q');
    assert_eq!(terminal.end(), (Some(0), true));

    let mut terminal = Terminal::run(&checkout, "watch ch2", 80, &[("TERM", "xterm")]);
    terminal.until(menu);
    let ctrl_c = 3;
    terminal.press(ctrl_c);
    assert_eq!(terminal.end(), (Some(130), true));

    // Also while a check runs.
    let script = checkout.read("check").replace("cat", "exec sleep 60; cat");
    checkout.script("check", &script);
    let mut terminal = Terminal::run(&checkout, "watch ch2", 80, &[("TERM", "xterm")]);
    terminal.until("step 1");
    terminal.press(ctrl_c);
    assert_eq!(terminal.end(), (Some(130), true));
}

#[test]
fn the_solution_is_shown_after_asking() {
    let checkout = Checkout::new("asking");
    for (answer, shown) in [(b'y', "+    do_it();"), (b'n', "? [y/N] n")] {
        let mut terminal = Terminal::run(&checkout, "diff ch1", 80, &[]);
        terminal.until("show the solution");
        terminal.press(answer);
        terminal.press(b'\n');
        terminal.until(shown);
        assert_eq!(terminal.end(), (Some(0), true));
    }
}

#[test]
fn a_reader_is_asked_what_is_wrong() {
    let checkout = failing("asked");
    let mistake = "[[mistake]]\nname = \"twice\"\nedit = [{ find = \"do_it();\", replace = \"x();\" }]\n\
        when = { a = \"b\" }\ncause = \"c\"\nremedy = \"r\"\nsee = \"s\"\n";
    checkout.write("exercises/ch01-one/mistakes.toml", mistake);
    assert_eq!(checkout.run("break ch1").0, 0);
    let mut terminal = Terminal::run(&checkout, "check ch1", 80, &[]);
    terminal.until("  step 3: its status is passed on");
    terminal.until("first to fail? ");
    terminal.press(b'1');
    terminal.press(b'\n');
    terminal.until("why? ");
    terminal.press(b'x');
    terminal.press(b'\n');
    terminal.until("you say: step 1 fails, because x");
    terminal.until(LAST);
    assert_eq!(terminal.end(), (Some(1), true));
}
