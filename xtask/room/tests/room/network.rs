//! The room and the checkouts of participants, over a network that fails, and with strangers in it.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use xtask::shared::room::{Address, Desk, Event, Left, Outcome, Sent, Signal};

use crate::common::{CODE, Open, flaky, post, say};

const SHORT: Duration = Duration::from_millis(400);

fn failed(mistake: &str) -> Event {
    Event::Checked {
        chapter: "ch02-unshare".to_owned(),
        outcome: Outcome::Failed,
        passed: 1,
        of: 4,
        mistake: mistake.to_owned(),
    }
}

fn stuck(text: &str) -> Event {
    Event::Signal { signal: Signal::Stuck, text: text.to_owned() }
}

fn people(view: &Value) -> &Vec<Value> {
    view["participants"].as_array().unwrap()
}

/// Joins, however often that takes.
fn join(desk: &Desk, address: &Address, name: &str) {
    let start = Instant::now();
    while let Err(failure) = desk.join(address, name, true, 2 * SHORT) {
        assert!(failure.to_string().contains("could not be reached"), "{failure}");
        assert!(start.elapsed() < Duration::from_secs(60), "{failure}");
    }
}

#[test]
fn forty_participants_lose_nothing_and_double_nothing() {
    const REPORTS: usize = 12;
    let open = Open::new();
    let through = flaky(open.at);
    let address = Address { port: through.port(), ..open.address() };
    let folder = tempfile::tempdir().unwrap();
    let participant = |number: usize| {
        let checkout = folder.path().join(number.to_string());
        std::fs::create_dir(&checkout).unwrap();
        let desk = Desk::of(&checkout);
        join(&desk, &address, &format!("participant {number:02}"));
        let mut last = Sent::Nothing;
        for report in 0..REPORTS {
            desk.add(if report % 5 == 4 { stuck("?") } else { failed("m") }).unwrap();
            last = desk.send(SHORT);
        }
        // What has not arrived goes with the next report, and here with the next attempt.
        let start = Instant::now();
        while last != Sent::All && last != Sent::Nothing {
            assert!(matches!(last, Sent::Later(_)), "{last:?}");
            assert!(start.elapsed() < Duration::from_secs(60), "{last:?}");
            last = desk.send(SHORT);
        }
    };
    thread::scope(|scope| {
        for number in 0..40 {
            scope.spawn(move || participant(number));
        }
    });
    let view = open.view();
    assert_eq!(people(&view).len(), 40);
    for one in people(&view) {
        assert_eq!(one["counted"], REPORTS, "{one}");
    }
    assert_eq!(view["mistakes"][0]["count"], 40);
    assert_eq!(view["stuck"].as_array().unwrap().len(), 40);
}

#[test]
fn a_room_that_is_ended_and_started_again_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("room.json");
    let desk = Desk::of(folder.path());
    let open = Open::kept(&file, None);
    let (at, address) = (open.at, open.address());
    join(&desk, &address, "ada");
    desk.add(failed("m")).unwrap();
    assert_eq!(desk.send(SHORT), Sent::All);
    drop(open);
    // It waits beside the progress, over as many commands as it takes.
    for text in ["one", "two"] {
        desk.add(stuck(text)).unwrap();
        assert!(matches!(desk.send(SHORT), Sent::Later(_)));
    }
    let open = Open::kept(&file, Some(at));
    assert_eq!(people(&open.view())[0]["counted"], 1);
    assert_eq!(Desk::of(folder.path()).send(SHORT), Sent::All);
    let view = open.view();
    assert_eq!(
        (people(&view)[0]["counted"].as_u64(), view["stuck"][0]["text"].as_str()),
        (Some(3), Some("two"))
    );
    drop(open);
    // Without a file it is another room, with another code.
    let other = Open::kept(&folder.path().join("other.json"), Some(at));
    let elsewhere = Address { code: "aaaaaa".to_owned(), ..address };
    let second = tempfile::tempdir().unwrap();
    let failure = Desk::of(second.path()).join(&elsewhere, "bob", true, SHORT).unwrap_err();
    assert!(failure.to_string().contains("the code is wrong, or the room has ended"), "{failure}");
    assert!(!Desk::of(second.path()).reports_every_check());
    drop(other);
}

#[test]
fn what_cannot_be_kept_is_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept/room.json");
    std::fs::create_dir(file.parent().unwrap()).unwrap();
    let open = Open::kept(&file, None);
    let desk = Desk::of(folder.path());
    join(&desk, &open.address(), "ada");
    // A folder in the way of the new file stops root, too.
    let way = file.with_file_name("room.json.new");
    std::fs::create_dir(&way).unwrap();
    desk.add(stuck("")).unwrap();
    assert!(matches!(desk.send(SHORT), Sent::Later(why) if why.contains("cannot keep it now")));
    assert_eq!(open.view()["stuck"], json!([]));
    let state = say(open.at, format!("GET /{CODE}/state HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
    assert!(state.contains("\"trouble\":\"Is a directory"), "{state}");
    std::fs::remove_dir(&way).unwrap();
    assert_eq!(desk.send(SHORT), Sent::All);
    assert_eq!(open.view()["stuck"][0]["name"], "ada");
}

#[test]
fn a_name_is_taken_once_and_free_again() {
    let open = Open::new();
    let [one, other] = [(), ()].map(|()| tempfile::tempdir().unwrap());
    let [ada, second] = [&one, &other].map(|folder| Desk::of(folder.path()));
    join(&ada, &open.address(), "Ada");
    let failure = second.join(&open.address(), "ada", true, SHORT).unwrap_err();
    let said = failure.to_string();
    assert!(
        said.contains("did not let `ada` in: another participant is called `ada`; choose"),
        "{said}"
    );
    assert!(!second.add(stuck("")).unwrap(), "in no room, nothing is kept to be sent");
    assert_eq!(ada.leave(SHORT).unwrap(), Left::Forgotten("Ada".to_owned()));
    assert!(!one.path().join(".room").exists());
    join(&second, &open.address(), "ada");
    assert_eq!(people(&open.view()).len(), 1);
}

#[test]
fn two_commands_at_once_lose_nothing() {
    let open = Open::new();
    let folder = tempfile::tempdir().unwrap();
    join(&Desk::of(folder.path()), &open.address(), "ada");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let desk = Desk::of(folder.path());
                    desk.add(failed("")).unwrap();
                    desk.send(Duration::from_secs(5));
                }
            });
        }
    });
    assert_eq!(people(&open.view())[0]["counted"], 80);
}

#[test]
fn what_is_no_room_takes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::of(folder.path());
    let open = Open::new();
    join(&desk, &open.address(), "ada");
    desk.add(stuck("")).unwrap();
    let at = open.at;
    drop(open);
    // A hotel's page for everything that is asked.
    let hotel = std::net::TcpListener::bind(at).unwrap();
    let serving = thread::spawn(move || {
        let (mut client, _) = hotel.accept().unwrap();
        _ = client.read(&mut [0; 4096]);
        let page = "<html>please pay</html>";
        _ = write!(client, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{page}", page.len());
    });
    assert_eq!(desk.send(SHORT), Sent::Later("what answers there is no room".to_owned()));
    serving.join().unwrap();
    // One that says nothing, and one that says nothing but for ever.
    for endless in [false, true] {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = silent.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut client, _) = silent.accept().unwrap();
            while endless && client.write_all(b"x").is_ok() {}
            _ = client.read_to_end(&mut Vec::new());
        });
        let address = Address { host: "127.0.0.1".to_owned(), port, code: CODE.to_owned() };
        let start = Instant::now();
        let elsewhere = tempfile::tempdir().unwrap();
        assert!(Desk::of(elsewhere.path()).join(&address, "ada", true, SHORT).is_err());
        assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    }
}

#[test]
fn strangers_get_nothing_and_break_nothing() {
    let open = Open::new();
    let at = open.at;
    let report = format!("/{CODE}/report");
    let good =
        json!({ "schema": 1, "token": "0".repeat(32), "name": "ada", "reports": [] }).to_string();
    let named = |name: &str| {
        json!({ "schema": 1, "token": "1".repeat(32), "name": name, "reports": [] }).to_string()
    };
    for (body, status, said) in [
        (good.clone(), "200", "\"received\":0"),
        ("x".repeat(1_000_000), "413", "a report is not that long"),
        ("{".to_owned(), "400", "a report is JSON"),
        ("[".repeat(60_000), "400", "a report is JSON"),
        ("null".to_owned(), "400", "another edition"),
        (good.replace("\"schema\":1", "\"schema\":2"), "400", "another edition"),
        (named(&"x".repeat(10_000)), "400", "a name has at most 32 characters, and this has 10000"),
        (named("a\u{1b}[2Jb"), "400", "no control characters"),
        (named("\u{202e}evil"), "400", "no control characters"),
        (named(" "), "400", "at least one"),
        (named("ADA"), "409", "another participant is called"),
    ] {
        let answer = post(at, &report, &body);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(said),
            "{said}: {answer}"
        );
    }
    let bytes = [
        b"POST /",
        CODE.as_bytes(),
        b"/report HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\n\r\n\xff\xfe\xfd",
    ];
    assert!(say(at, &bytes.concat()).contains("a report is JSON"));
    // A length that is never reached, and one that is none.
    for (head, status) in [
        ("GET / HTTP/1.1\r\nhost: x\r\n\r\n", "404"),
        ("DELETE /k7qm3w/ HTTP/1.1\r\nhost: x\r\n\r\n", "405"),
        ("CONNECT a:80 HTTP/1.1\r\nhost: x\r\n\r\n", "404"),
        ("OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n", "404"),
        ("GET /k7qm3w/../../etc/passwd HTTP/1.1\r\nhost: x\r\n\r\n", "404"),
        ("POST /k7qm3w/report HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n", "400"),
        ("\x16\x03\x01\x02\x00\x01\x00 TLS says hello \r\n\r\n", "400"),
    ] {
        let answer = say(at, head.as_bytes());
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {answer}");
    }
    let head = format!("GET /{CODE}/ HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(100_000));
    assert!(!say(at, head.as_bytes()).contains("200 OK"));
    assert_eq!(people(&open.view()).len(), 1);
}

#[test]
fn a_code_is_not_guessed() {
    let open = Open::new();
    let mut refused = 0;
    for number in 0..30 {
        let answer =
            say(open.at, format!("GET /{number:06}/ HTTP/1.1\r\nhost: x\r\n\r\n").as_bytes());
        refused += u32::from(answer.starts_with("HTTP/1.1 429"));
        assert!(answer.starts_with("HTTP/1.1 403") || answer.contains("wait a minute"), "{answer}");
    }
    assert_eq!(refused, 10);
}

/// Ten thousand connections that say nothing, and some that say a byte a second: a participant is served.
#[test]
fn silence_holds_nobody_up() {
    slow!();
    let open = Open::new();
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::of(folder.path());
    join(&desk, &open.address(), "ada");
    let mut silent = std::collections::VecDeque::new();
    let mut slowest = Duration::ZERO;
    for number in 0..10_000 {
        // A process has a thousand descriptors, as a rule; the oldest give way.
        if silent.len() == 300 {
            silent.pop_front();
        }
        let mut connection = TcpStream::connect(open.at).unwrap();
        if number % 3 == 0 {
            _ = connection.write_all(b"POST /k7qm3w/report HTTP/1.1\r\nhost:");
        }
        silent.push_back(connection);
        if number % 1000 == 999 {
            desk.add(failed("")).unwrap();
            let start = Instant::now();
            assert_eq!(desk.send(Duration::from_secs(5)), Sent::All, "after {number}");
            slowest = slowest.max(start.elapsed());
        }
    }
    assert_eq!(people(&open.view())[0]["counted"], 10);
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    // More than the room holds: it ends the oldest at once, and not when its time is over.
    let many: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(open.at).unwrap()).collect();
    let start = Instant::now();
    many[0].set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let ended = (&many[0]).read(&mut [0; 64]);
    let is_silent = |error: &std::io::Error| error.kind() == std::io::ErrorKind::WouldBlock;
    assert!(!ended.as_ref().is_err_and(is_silent), "{ended:?} after {:?}", start.elapsed());
    drop((many, silent));
    // What says a byte now and then is cut off as well.
    let mut slow = TcpStream::connect(open.at).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let start = Instant::now();
    loop {
        if slow.write_all(b"G").is_err() {
            break;
        }
        match slow.read(&mut [0; 64]) {
            Ok(_) => break,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
        assert!(start.elapsed() < Duration::from_secs(30), "it is never cut off");
    }
}

#[test]
fn a_checkout_whose_file_is_broken_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let desk = Desk::of(folder.path());
    for text in ["", "{}", "\u{0}", "[[["] {
        std::fs::write(folder.path().join(".room"), text).unwrap();
        let failure = desk.add(stuck("")).unwrap_err();
        assert!(failure.advice().contains("`cargo xtask leave` removes it"), "{failure}");
        assert_eq!(desk.leave(SHORT).unwrap(), Left::Nothing);
        assert_eq!(desk.place().unwrap(), None);
    }
}
