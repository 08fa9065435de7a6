//! The command: its port, its file, and its end.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::common::say;
use assert_cmd::cargo::cargo_bin;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use xtask::shared::room::{Address, Desk, Event, Sent, Signal as Hand};

const PATIENCE: Duration = Duration::from_secs(10);

/// The command at work, and what it has printed.
struct Running {
    process: Child,
    out: BufReader<ChildStdout>,
    said: String,
}

impl Running {
    fn start(folder: &Path, words: &[&str]) -> Running {
        let mut command = Command::new(cargo_bin!("room"));
        command.args(words).current_dir(folder).env("NAMESPACES_BY_HAND_ROOT", "/");
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let mut said = String::new();
        while !said.ends_with("Ctrl-C ends it\n") {
            assert_ne!(out.read_line(&mut said).unwrap(), 0, "{said}");
        }
        Running { process, out, said }
    }

    /// Where participants join, seen from this machine.
    fn address(&self) -> Address {
        let line =
            self.said.lines().find_map(|line| line.strip_prefix("participants: cargo xtask join "));
        let address = Address::read(line.unwrap().trim_end_matches(" NAME")).unwrap();
        Address { host: "127.0.0.1".to_owned(), ..address }
    }

    /// Ends it, and returns its status and the last that it says.
    fn end(mut self, signal: Signal) -> (Option<i32>, String) {
        kill(Pid::from_raw(self.process.id().cast_signed()), signal).unwrap();
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (self.process.wait().unwrap().code(), rest)
    }
}

#[test]
fn a_room_forgets_unless_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let room = Running::start(folder.path(), &["--port", "0"]);
    assert!(
        room.said.contains("it is kept nowhere, and forgets all when it ends"),
        "{}",
        room.said
    );
    let (status, said) = room.end(Signal::SIGINT);
    assert_eq!((status, said.as_str()), (Some(0), "\nthe room has ended, and has forgotten all\n"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let room = Running::start(folder.path(), &["--port=0", "--keep", "room.json"]);
    let (first, port) = (room.address(), room.address().port.to_string());
    let desk = Desk::of(folder.path());
    desk.join(&first, "ada", true, PATIENCE).unwrap();
    // Two of them would each replace what the other has kept.
    let (code, err) = failed(folder.path(), &["--port=0", "--keep=room.json"]);
    assert_eq!(
        (code, err.lines().next()),
        (Some(2), Some("error: another room keeps itself in `room.json`"))
    );
    // Killed, and not ended: what was answered is on the disk.
    room.end(Signal::SIGKILL);
    let room = Running::start(folder.path(), &["--port", &port, "--keep", "room.json"]);
    assert!(
        room.said.starts_with("the room is open again, with all who were in it\n"),
        "{}",
        room.said
    );
    assert_eq!(room.address(), first);
    desk.add(Event::Signal { signal: Hand::Done, text: String::new() }).unwrap();
    assert_eq!(desk.send(PATIENCE), Sent::All);
    let (status, said) = room.end(Signal::SIGTERM);
    assert_eq!((status, said.as_str()), (Some(0), "\nthe room has ended; `room.json` has it\n"));
    std::fs::write(folder.path().join("room.json"), "[]").unwrap();
    let (code, err) = failed(folder.path(), &["--port=0", "--keep=room.json"]);
    assert!(code == Some(2) && err.contains("`room.json` is no room that was kept"), "{err}");
}

#[test]
fn what_is_told_to_a_machine_that_sleeps_arrives_when_it_wakes() {
    let folder = tempfile::tempdir().unwrap();
    let room = Running::start(folder.path(), &["--port", "0"]);
    let desk = Desk::of(folder.path());
    desk.join(&room.address(), "ada", true, PATIENCE).unwrap();
    let process = Pid::from_raw(room.process.id().cast_signed());
    kill(process, Signal::SIGSTOP).unwrap();
    // The kernel takes the connection, and nothing answers.
    desk.add(Event::Signal { signal: Hand::Stuck, text: "are you there?".to_owned() }).unwrap();
    let asleep = desk.send(Duration::from_millis(300));
    assert_eq!(asleep, Sent::Later("it does not answer in time".to_owned()));
    kill(process, Signal::SIGCONT).unwrap();
    desk.add(Event::Signal { signal: Hand::Done, text: String::new() }).unwrap();
    assert_eq!(desk.send(PATIENCE), Sent::All);
    let path = format!("/{}/state", room.address().code);
    let at = SocketAddr::from(([127, 0, 0, 1], room.address().port));
    let state = say(at, format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
    // The first of them has perhaps come twice, and each counts once.
    assert!(state.contains("\"counted\":2") && state.contains("\"signal\":\"done\""), "{state}");
    room.end(Signal::SIGTERM);
}

#[test]
fn a_room_that_cannot_be_opened_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (words, code, said) in [
        (
            &["--port", &port][..],
            3,
            "help: another program listens there, perhaps a room; choose another",
        ),
        (
            &["--port", "70000"],
            2,
            "error: `70000` is no port\nhelp: a port is a number up to 65535",
        ),
        (&["--port"], 2, "error: `--port` needs a number"),
        (&["--keep"], 2, "error: `--keep` needs a file"),
        (&["now"], 2, "error: `room` does not take `now`"),
        (&["--prot=1"], 2, "help: did you mean `--port`?"),
        (&["--port=0", "--keep=no/where"], 1, "error: could not write beside `no/where`"),
    ] {
        let (status, err) = failed(folder.path(), words);
        assert!(status == Some(code) && err.contains(said), "{words:?}: {status:?} {err}");
    }
}

fn failed(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(cargo_bin!("room"));
    let output = command.args(words).current_dir(folder).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}
