//! The agent on this machine, with pipes and a terminal instead of the ports of the machine in a page.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(60);

/// An agent in a thread. Dropping both ends ends it.
struct Agent {
    requests: UnixStream,
    answers: BufReader<UnixStream>,
    console: UnixStream,
    /// Those that came while an answer was awaited.
    events: VecDeque<Value>,
}

impl Agent {
    fn start() -> Agent {
        let pair = || UnixStream::pair().expect("descriptors are free");
        let ((ours, theirs), (console, other)) = (pair(), pair());
        thread::spawn(move || {
            let other = File::from(OwnedFd::from(other));
            let requests = BufReader::new(theirs.try_clone().expect("a descriptor is free"));
            live_agent::serve(requests, theirs, &other)
        });
        for end in [&ours, &console] {
            end.set_read_timeout(Some(PATIENCE)).expect("it is more than zero");
        }
        let answers = BufReader::new(ours.try_clone().expect("a descriptor is free"));
        Agent { requests: ours, answers, console, events: VecDeque::new() }
    }

    fn line(&mut self, line: &str) -> Value {
        writeln!(self.requests, "{line}").expect("the agent reads");
        loop {
            let said = self.next();
            match said.get("event") {
                None => return said,
                Some(_) => self.events.push_back(said),
            }
        }
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("the agent answers");
        serde_json::from_str(&line).expect("what it says is JSON")
    }

    /// Reads until there is an event of which this holds.
    fn event(&mut self, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            let said = self.events.pop_front().unwrap_or_else(|| self.next());
            if holds(&said) {
                return said;
            }
        }
    }

    fn ask(&mut self, request: Value) -> Value {
        self.line(&request.to_string())
    }

    /// Types a line into the lab's shell, and waits until `awaited` was printed.
    fn types(&mut self, line: &str, awaited: &str) -> String {
        writeln!(self.console, "{line}").expect("the console is read");
        let (mut printed, mut byte) = (Vec::new(), [0]);
        while !String::from_utf8_lossy(&printed).contains(awaited) {
            self.console.read_exact(&mut byte).expect("the shell prints");
            printed.push(byte[0]);
        }
        String::from_utf8_lossy(&printed).into_owned()
    }
}

/// The processes of an answer in which this member has this value.
fn with<'a>(seen: &'a Value, member: &str, value: &str) -> Vec<&'a Value> {
    let processes = seen["ok"]["processes"].as_array().expect("a list");
    processes.iter().filter(|process| process[member] == value).collect()
}

#[test]
fn a_shell_in_a_uts_namespace_of_its_own_is_seen_from_outside() {
    let mut agent = Agent::start();
    let opened = agent.ask(json!({ "id": 1, "do": "lab", "state": "root-lab" }));
    assert!(opened["ok"]["pid"].is_number(), "{opened}");
    // What it prints is not what is looked at.
    agent.types("echo 'uts otter'", "uts otter\r\n");
    let before = agent.ask(json!({ "id": 2, "do": "inspect" }));
    let lab = &before["ok"]["lab"];
    assert_eq!(lab["uts_name"], "lab", "{before}");
    let shells = with(&before, "comm", "sh");
    assert_eq!(shells.len(), 1, "{before}");
    assert_eq!(shells[0]["namespaces"]["uts"], lab["namespaces"]["uts"]);

    agent.types("unshare --uts sh -c 'hostname otter; echo \"a\"b; exec cat'", "ab\r\n");
    let after = agent.ask(json!({ "id": 3, "do": "inspect" }));
    let moved = with(&after, "uts_name", "otter");
    assert_eq!(moved.len(), 1, "{after}");
    assert_eq!(
        (&moved[0]["uts_name"], &after["ok"]["lab"]["uts_name"]),
        (&json!("otter"), &json!("lab"))
    );
    assert_ne!(moved[0]["namespaces"]["uts"], lab["namespaces"]["uts"]);
    assert_eq!(moved[0]["namespaces"]["net"], lab["namespaces"]["net"]);
    assert!(moved[0]["mountinfo"].as_str().is_some_and(|text| text.contains(" / ")), "{after}");
    assert_eq!(moved[0]["capabilities"]["effective"].as_str().map(str::len), Some(16));
}

#[test]
fn a_new_lab_ends_the_one_before() {
    let mut agent = Agent::start();
    agent.ask(json!({ "id": 1, "do": "lab", "state": "root-lab" }));
    agent.types("hostname other; hostname | tr a-z A-Z", "OTHER\r\n");
    agent.ask(json!({ "id": 2, "do": "lab", "state": "plain-user" }));
    let printed = agent.types("id -u; hostname | tr a-z A-Z", "LAB\r\n");
    assert!(printed.contains("$ ") && printed.contains("1000\r\n"), "{printed}");
}

#[test]
fn a_script_prints_what_a_recorded_session_does() {
    let mut agent = Agent::start();
    let script = "exec 2>&1\nid -u\ncat /nowhere\nsleep 1000 &\n";
    let answer = agent.ask(json!({ "id": 7, "do": "run", "script": script }));
    assert_eq!(answer["id"], 7);
    let printed = answer["ok"]["printed"].as_str().unwrap_or_default();
    assert!(printed.starts_with("0\ncat: /nowhere: No such file"), "{answer}");
}

#[test]
fn what_cannot_be_understood_is_answered() {
    let mut agent = Agent::start();
    for (line, error) in [
        ("{", "this is no JSON"),
        ("{\"do\": \"fly\"}", "there is no request `fly`"),
        ("{\"do\": \"lab\", \"state\": \"none\"}", "there is no state `none`"),
        ("{\"do\": \"inspect\"}", "there is no lab"),
        ("[]", "a request has a `do`"),
        ("{\"do\": \"draw\"}", "there is no lab"),
        ("{\"do\": \"lab\", \"view\": \"moon\"}", "there is no view `moon`"),
        ("{\"do\": \"challenge\"}", "`challenge` takes a `table` and a `name`"),
        ("{\"do\": \"challenge\", \"table\": \"x\", \"name\": \"y\"}", "TOML parse error"),
    ] {
        let answer = agent.line(line);
        assert!(answer["error"].as_str().is_some_and(|text| text.starts_with(error)), "{answer}");
    }
    assert_eq!(agent.line("{\"id\": 1, \"do\": \"ping\"}"), json!({ "id": 1, "ok": "pong" }));
}

const TABLE: &str = include_str!("../../../../exercises/ch02-unshare/challenges.toml");

#[test]
fn a_challenge_is_judged_while_it_is_tried() {
    let mut agent = Agent::start();
    let request = json!({ "id": 1, "do": "challenge", "table": TABLE, "name": "own-name" });
    assert!(agent.ask(request)["ok"]["pid"].is_number());
    let state = |wanted: &'static str| {
        move |said: &Value| said["event"] == "challenge" && said["state"] == wanted
    };
    agent.event(state("not yet"));
    agent.types("hostname otter", "hostname otter");
    let wrong = agent.event(state("wrong"));
    assert!(wrong["text"].as_str().is_some_and(|text| text.contains("renamed")), "{wrong}");
    agent.types("hostname lab; unshare --uts sh -c 'hostname otter; exec sleep 60' &", "&");
    let done = agent.event(state("done"));
    assert!(done["text"].as_str().is_some_and(|text| text.contains("sleep")), "{done}");
    // What is undone does not count any more.
    agent.types("kill $!", "kill $!");
    agent.event(state("not yet"));
    agent.types("exit", "exit");
    agent.event(|said| said["event"] == "over");
}

#[test]
fn the_lab_is_drawn_as_it_changes() {
    let mut agent = Agent::start();
    agent.ask(json!({ "id": 1, "do": "lab", "view": "membership" }));
    let shows = |text: &'static str| {
        move |said: &Value| said["svg"].as_str().is_some_and(|svg| svg.contains(text))
    };
    agent.event(shows("uts"));
    agent.types("unshare --uts sh -c 'hostname otter; exec sleep 60' &", "&");
    agent.event(shows("otter"));
    agent.ask(json!({ "id": 2, "do": "draw", "view": "processes" }));
    agent.event(|said| said["view"] == "processes");
    // Asleep it says nothing, and awake it catches up.
    agent.ask(json!({ "id": 3, "do": "awake", "awake": false }));
    agent.types("kill $!; echo \"a\"b", "ab\r\n");
    let asked = Instant::now();
    while asked.elapsed() < Duration::from_secs(1) {
        agent.ask(json!({ "id": 4, "do": "ping" }));
    }
    agent.ask(json!({ "id": 5, "do": "awake", "awake": true }));
    agent.event(shows("ended"));
}
