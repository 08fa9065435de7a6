//! One request to a room, over HTTP/1.1. A library for it would be the larger part of a learner's first
//! compile, and all that is needed is a POST to one kind of server.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Address, LONGEST};

/// What the room has answered: the status, and its JSON.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

/// Sends it and reads the answer, both by the deadline.
///
/// # Errors
///
/// Why there is no answer of a room, in words. An answer of something else, such as the page by which a hotel
/// asks for a password, is none.
pub(super) fn post(
    address: &Address,
    what: &str,
    body: &str,
    patience: Duration,
) -> Result<Answer, String> {
    let deadline = Instant::now() + patience;
    let answer = exchange(address, what, body, deadline).map_err(|error| match error.kind() {
        // What a socket's own timeout says.
        ErrorKind::WouldBlock | ErrorKind::TimedOut => "it does not answer in time".to_owned(),
        _ => error.to_string(),
    })?;
    parse(&answer).ok_or_else(|| "what answers there is no room".to_owned())
}

fn exchange(address: &Address, what: &str, body: &str, deadline: Instant) -> io::Result<Vec<u8>> {
    let mut stream = connect(address, deadline)?;
    stream.set_write_timeout(Some(left(deadline)?))?;
    let request = format!(
        "POST /{}/{what} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{body}",
        address.code,
        address.authority(),
        body.len()
    );
    stream.write_all(request.as_bytes())?;
    let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
    // To the end, which the room makes by closing. A server that goes on for ever is cut off.
    while answer.len() < LONGEST {
        stream.set_read_timeout(Some(left(deadline)?))?;
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => answer.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        // Complete before the end of the connection, which may come late.
        if parse(&answer).is_some() {
            break;
        }
    }
    Ok(answer)
}

fn connect(address: &Address, deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for place in (address.host.as_str(), address.port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&place, left(deadline)?) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// How long it is until then; more than nothing.
fn left(deadline: Instant) -> io::Result<Duration> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
}

/// The answer, if all of it is there and it is a room's: JSON with a field `room`.
fn parse(bytes: &[u8]) -> Option<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut words = head.lines().next()?.split(' ');
    if !words.next()?.starts_with("HTTP/1.") {
        return None;
    }
    let status = words.next()?.parse().ok()?;
    let body: Value = serde_json::from_slice(&bytes[end + 4..]).ok()?;
    (body["room"] == 1).then_some(Answer { status, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_room_answers() {
        let answer =
            parse(b"HTTP/1.1 200 OK\r\ncontent-length: 24\r\n\r\n{\"room\":1,\"received\":7}");
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.body["received"].as_u64()), (200, Some(7)));
        for other in [
            &b"HTTP/1.1 200 OK\r\n\r\n<html>please log in</html>"[..],
            b"HTTP/1.1 200 OK\r\n\r\n{\"received\":7}",
            b"HTTP/1.1 200 OK\r\n\r\n{\"room\":1,\"rece",
            b"HTTP/1.1 2x0 OK\r\n\r\n{\"room\":1}",
            b"SSH-2.0-OpenSSH\r\n\r\n{\"room\":1}",
            b"HTTP/1.1 200",
            b"\xff\xfe\r\n\r\n{\"room\":1}",
            b"",
        ] {
            assert!(parse(other).is_none(), "{}", String::from_utf8_lossy(other));
        }
    }
}
