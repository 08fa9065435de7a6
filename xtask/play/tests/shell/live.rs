//! `--live`: the lab is drawn for this machine, and for no other one, until it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::xtask;

/// A shell that reads what the test types, and the address of its page.
fn start() -> (Child, String) {
    let mut command = xtask(&["shell", "--live"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let address = lines
        .map_while(Result::ok)
        .find_map(|line| Some(line.split_once("http://")?.1.split_once('/')?.0.to_owned()));
    (child, address.expect("an address is printed"))
}

fn get(address: &str, path: &str, host: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_typed_is_drawn() {
    let (mut child, address) = start();
    let mut keys = child.stdin.take().unwrap();
    assert!(get(&address, "/", &address).contains("<title>The lab, live</title>"));
    keys.write_all(b"unshare --uts sh -c 'hostname otter; exec sleep 20' &\n").unwrap();
    let deadline = Instant::now() + Duration::from_secs(15);
    let drawn = loop {
        let drawn = get(&address, "/membership/0", &address);
        if drawn.contains("uts B, host name otter") || Instant::now() > deadline {
            break drawn;
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(drawn.contains("uts B, host name otter"), "{drawn}");
    assert!(drawn.contains("uts A, host name lab: bash"), "{drawn}");
    for view in ["pointers", "processes", "owners"] {
        assert!(get(&address, &format!("/{view}/0"), &address).contains("<svg"), "{view}");
    }
    drop(keys);
    assert!(child.wait().unwrap().success());
    assert!(TcpStream::connect(&address).is_err(), "nothing listens any more");
}

#[test]
fn a_page_of_another_site_reads_nothing() {
    let (mut child, address) = start();
    for path in ["/", "/live.js", "/membership/0"] {
        let answer = get(&address, path, "evil.example");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
    assert!(get(&address, "/../etc/passwd", &address).starts_with("HTTP/1.1 404 "));
    drop(child.stdin.take());
    child.wait().unwrap();
}
