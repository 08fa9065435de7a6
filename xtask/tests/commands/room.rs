//! The room of a workshop, as a participant's commands know it: here it is a server that notes what it is sent,
//! so that nothing else leaves a laptop than what was said.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use harness::verdict::Diagnosis;
use serde_json::{Value, json};

use crate::checkout::{Checkout, not_unshared};

const CODE: &str = "k7qm3w";

/// The edition of the course on the machine of the room, and in one checkout.
const THERE: &str = "2026-11-30-1a2b3c4";
const HERE: &str = "2026-11-29-0000000";

/// What was sent: the path, and the body.
type Sent = (String, Value);

/// A room that takes everything. It ends with the process.
fn room() -> (String, Receiver<Sent>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{CODE}", listener.local_addr().unwrap());
    let (sender, sent) = channel();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let request = answered(client);
            if sender.send(request).is_err() {
                break;
            }
        }
    });
    (url, sent)
}

fn answered(mut client: TcpStream) -> Sent {
    let mut reader = BufReader::new(client.try_clone().unwrap());
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let last = body["reports"]
        .as_array()
        .unwrap()
        .last()
        .map_or(json!(0), |last| last["sequence"].clone());
    let answer = json!({ "room": 1, "received": last, "edition": THERE }).to_string();
    write!(client, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{answer}", answer.len()).unwrap();
    let path = head.split(' ').nth(1).unwrap().to_owned();
    (path, body)
}

fn next(sent: &Receiver<Sent>) -> Sent {
    sent.recv_timeout(Duration::from_secs(30)).expect("something is sent")
}

fn failing(checkout: &Checkout) {
    let mut verdict = not_unshared();
    let mistake = "the name is set before leaving the namespace".to_owned();
    verdict.diagnosis = Some(Diagnosis { mistake, ..Diagnosis::default() });
    checkout.verdict("ch01-one", "step2_it_leaves", &verdict);
}

#[test]
fn what_is_said_leaves_the_laptop_and_nothing_else() {
    let checkout = Checkout::new("room says");
    checkout.write("pack.toml", &format!("edition = \"{HERE}\"\n"));
    let (url, sent) = room();
    // Without consent nothing is sent, nor kept.
    let (code, out, err) = checkout.run(&format!("join {url} ada"));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("help: add `--yes`"), "{err}");
    assert!(sent.try_recv().is_err() && !checkout.root.join(".room").exists());

    let (code, out, err) = checkout.run(&format!("join {url} ada --yes"));
    assert_eq!(code, 0);
    let other = format!("this copy of the course is edition {HERE}, and the room's is {THERE}; ");
    assert!(err.starts_with(&format!("note: {other}")) && err.lines().count() == 1, "{err}");
    let listed = [
        "and nothing else:",
        "the name `ada`, and a random number",
        "which edition of the course this is",
        "the chapter, whether it could be built",
        "how many of its steps passed",
        "the name of the mistake",
        "`cargo xtask stuck` with the text",
        "a number that counts",
        "no line of a program",
        "`cargo xtask leave` ends it",
    ];
    // Words may stand on two lines.
    let out = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for said in listed {
        assert!(out.contains(said), "{said}: {out}");
    }
    let (path, hello) = next(&sent);
    let token = hello["token"].clone();
    assert_eq!(path, format!("/{CODE}/report"));
    let of_ada = |reports: Value| json!({ "schema": 1, "token": token, "name": "ada", "edition": HERE, "reports": reports });
    assert_eq!(hello, of_ada(json!([])));
    let file = checkout.root.join(".room");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);

    let report = |report: Value| of_ada(json!([report]));
    failing(&checkout);
    checkout.write("exercises/ch01-one/src/main.rs", "fn main() { /* a secret */ }\n");
    let (code, out, err) = checkout.run("check ch1");
    assert!(code == 1 && out.contains("FAIL") && err.is_empty(), "{out}{err}");
    let failed = json!({
        "sequence": 1, "chapter": "ch01-one", "outcome": "failed", "passed": 1, "of": 3,
        "mistake": "the name is set before leaving the namespace",
    });
    assert_eq!(next(&sent).1, report(failed));
    assert_eq!(checkout.run("stuck why is it EPERM?").1, "the room knows that you are stuck\n");
    let stuck = json!({ "sequence": 2, "signal": "stuck", "text": "why is it EPERM?" });
    assert_eq!(next(&sent).1, report(stuck));
    checkout.run("check ch2 --json");
    let solved = json!({
        "sequence": 3, "chapter": "ch02-two", "outcome": "solved", "passed": 3, "of": 3, "mistake": "",
    });
    assert_eq!(next(&sent).1, report(solved));
    assert_eq!(checkout.run("done").0, 0);
    assert_eq!(next(&sent).1, report(json!({ "sequence": 4, "signal": "done", "text": "" })));

    assert_eq!(checkout.run("leave").1, "the room has forgotten `ada`\n");
    let (path, goodbye) = next(&sent);
    assert_eq!((path, goodbye), (format!("/{CODE}/leave"), hello));
    assert!(!file.exists());
    checkout.run("check ch1");
    assert_eq!(checkout.run("leave").1, "you are in no room\n");
    assert!(sent.try_recv().is_err(), "sent after leaving");
}

#[test]
fn one_check_is_reported_once() {
    let checkout = Checkout::new("room once");
    let (url, sent) = room();
    let (code, _, err) = checkout.run(&format!("check ch1 --report {url} --name ada"));
    assert!(code == 0 && err.split_whitespace().any(|word| word == "else:"), "{err}");
    // A checkout that cannot say its edition is not called another one.
    assert!(!err.contains("note:"), "{err}");
    assert_eq!(next(&sent).1["reports"], json!([]));
    assert_eq!(next(&sent).1["reports"][0]["outcome"], "solved");
    checkout.run("check ch1");
    assert!(sent.try_recv().is_err(), "reported without being asked");
    // The name is known by now.
    assert_eq!(checkout.run(&format!("check ch1 --report {url}")).0, 0);
    assert_eq!(next(&sent).1["reports"][0]["sequence"], 2);
    // A solution that another command has put there is nobody's work.
    checkout.write("exercises/ch01-one/src/main.rs", "fn main() { 3; }\n");
    assert!(checkout.run("catch-up ch2 --yes").1.starts_with("ch01-one: caught up"));
    checkout.run(&format!("check ch1 --report {url}"));
    assert!(sent.try_recv().is_err(), "a solution was reported");
}

#[test]
fn a_room_that_is_away_costs_a_note_and_little_time() {
    let checkout = Checkout::new("room away");
    let (url, sent) = room();
    checkout.run(&format!("join {url} ada --yes"));
    next(&sent);
    // It takes connections, and answers none: the worst that can be.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let here = format!("http://{}/{CODE}", silent.local_addr().unwrap());
    checkout.write(".room", &checkout.read(".room").replace(&url, &here));
    let start = Instant::now();
    let (code, out, err) = checkout.run("check --all");
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    assert!(code == 0 && out.ends_with("\nok      ch01-one\nok      ch02-two\n"), "{out}");
    let note = "note: the room could not be told (it does not answer in time); what there is to tell goes \
                with the next report\n";
    assert_eq!(err, note, "once");
    let (code, _, err) = checkout.run("stuck");
    assert!(code == 3 && err.starts_with("error: the room could not be told"), "{err}");
    // A file that cannot be read or written does not change the verdict either.
    checkout.write(".room", &checkout.read(".room").replace(&here, &url));
    std::fs::create_dir(checkout.root.join(".room.new")).unwrap();
    let (code, _, err) = checkout.run("check ch1");
    assert!(
        code == 0 && err.starts_with("note: the room was not told: could not write `.room`"),
        "{err}"
    );
    std::fs::remove_dir(checkout.root.join(".room.new")).unwrap();
    // All of it arrives with the next one.
    checkout.run("done");
    let (_, all) = next(&sent);
    let numbers: Vec<_> =
        all["reports"].as_array().unwrap().iter().map(|one| one["sequence"].clone()).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[test]
fn a_name_that_cannot_be_shown_is_refused_before_anything_is_sent() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let checkout = Checkout::new("room names");
    let (url, sent) = room();
    let long = "x".repeat(10_000);
    for (name, why) in [
        (&b"\xff"[..], "it is not UTF-8"),
        (b"a\x1b[2Jb", "no control characters"),
        ("\u{202e}evil".as_bytes(), "no control characters"),
        (long.as_bytes(), "at most 32 characters, and this has 10000"),
        (b"", "at least one character"),
    ] {
        let output = checkout
            .xtask(&format!("join {url} --yes --"))
            .arg(OsStr::from_bytes(name))
            .output()
            .unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(
            err.starts_with("error: that name cannot be shown: ") && err.contains(why),
            "{why}: {err}"
        );
        assert_eq!(output.status.code(), Some(2));
    }
    assert!(sent.try_recv().is_err());
}

#[test]
fn a_room_that_is_not_there_is_said() {
    let checkout = Checkout::new("room nowhere");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (code, _, err) = checkout.run(&format!("join http://127.0.0.1:{port}/{CODE} ada --yes"));
    assert_eq!(code, 3);
    assert!(err.contains("could not be reached: Connection refused"), "{err}");
    assert!(err.contains("help: is the address right, is the room open"), "{err}");
    // Nothing is reported to it from then on.
    assert_eq!(checkout.run("check ch1").2, "");
    assert_eq!(checkout.run("stuck").0, 2);
}
