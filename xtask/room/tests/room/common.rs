//! A room in this process, and what talks to it.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use room::keep::Kept;
use room::serve::{Shared, serve};
use room::state::Room;
use serde_json::Value;
use xtask::shared::room::Address;

/// Of the course, on the machine of the room.
pub(crate) const EDITION: &str = "2026-11-30-1a2b3c4";

pub(crate) const CODE: &str = "k7qm3w";

/// A room that ends when this is dropped.
pub(crate) struct Open {
    pub(crate) shared: Arc<Shared>,
    pub(crate) at: SocketAddr,
    ends: Arc<AtomicBool>,
    server: Option<thread::JoinHandle<()>>,
}

/// Listens there. A port that was another room's a moment ago is in use as long as a child that another test has
/// just forked holds its descriptor.
fn listen(at: SocketAddr) -> TcpListener {
    let start = Instant::now();
    loop {
        match TcpListener::bind(at) {
            Err(error)
                if error.kind() == ErrorKind::AddrInUse
                    && start.elapsed() < Duration::from_secs(10) =>
            {
                thread::sleep(Duration::from_millis(20));
            }
            bound => return bound.unwrap(),
        }
    }
}

impl Open {
    pub(crate) fn new() -> Open {
        Open::with(TcpListener::bind("127.0.0.1:0").unwrap(), Room::new(CODE), None)
    }

    /// One that is kept, on this port or on any.
    pub(crate) fn kept(file: &Path, at: Option<SocketAddr>) -> Open {
        let at = at.unwrap_or_else(|| "127.0.0.1:0".parse().unwrap());
        let (kept, known) = Kept::open(file).unwrap();
        Open::with(listen(at), known.unwrap_or_else(|| Room::new(CODE)), Some(kept))
    }

    fn with(listener: TcpListener, room: Room, kept: Option<Kept>) -> Open {
        let at = listener.local_addr().unwrap();
        let address = format!("http://{at}/{CODE}");
        let shared = Arc::new(Shared::new(room, kept, address, EDITION.to_owned()));
        let ends = Arc::new(AtomicBool::new(false));
        let (for_server, ended) = (shared.clone(), ends.clone());
        let server = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let end = async {
                    while !ended.load(Ordering::Relaxed) {
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                };
                tokio::select! {
                    served = serve(listener, for_server) => panic!("{served:?}"),
                    () = end => {}
                }
            });
        });
        Open { shared, at, ends, server: Some(server) }
    }

    pub(crate) fn address(&self) -> Address {
        Address { host: self.at.ip().to_string(), port: self.at.port(), code: CODE.to_owned() }
    }

    /// What the page is told.
    pub(crate) fn view(&self) -> Value {
        self.shared.room().view(0)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        // The port and the file are free when this returns.
        self.ends.store(true, Ordering::Relaxed);
        _ = self.server.take().map(thread::JoinHandle::join);
    }
}

/// Sends bytes, and returns all that comes back.
pub(crate) fn say(at: SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // The room may have enough before the end.
    _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

pub(crate) fn post(at: SocketAddr, path: &str, body: &str) -> String {
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    say(at, &[head.as_bytes(), body.as_bytes()].concat())
}

/// A network that fails: of the connections through it, in turn, one is refused at once, one has its request
/// lost, one its answer, one is cut in the middle of either, one is slow, one comes twice, and some work.
pub(crate) fn flaky(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (number, client) in listener.incoming().flatten().enumerate() {
            thread::spawn(move || relay(client, to, number % 8));
        }
    });
    at
}

fn relay(mut client: TcpStream, to: SocketAddr, way: usize) -> Option<()> {
    if way == 0 {
        return None;
    }
    let request = request_of(&mut client)?;
    let ask = |bytes: &[u8]| {
        let mut room = TcpStream::connect(to).ok()?;
        room.write_all(bytes).ok()?;
        room.shutdown(std::net::Shutdown::Write).ok()?;
        let mut answer = Vec::new();
        room.read_to_end(&mut answer).ok()?;
        Some(answer)
    };
    match way {
        1 => return None,
        2 => _ = ask(&request[..request.len() / 2]),
        3 => _ = ask(&request),
        4 => {
            let answer = ask(&request)?;
            client.write_all(&answer[..answer.len() / 2]).ok()?;
        }
        5 => {
            // It arrives after the client has given up, and perhaps after its next one.
            thread::sleep(Duration::from_millis(700));
            _ = ask(&request);
        }
        6 => {
            _ = ask(&request)?;
            client.write_all(&ask(&request)?).ok()?;
        }
        _ => client.write_all(&ask(&request)?).ok()?,
    }
    Some(())
}

/// All of a request: its head, and as many bytes as it announces.
fn request_of(client: &mut TcpStream) -> Option<Vec<u8>> {
    client.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        if let Some(end) = request.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            if request.len() >= end + 4 + length?.parse::<usize>().ok()? {
                return Some(request);
            }
        }
        match client.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(length) => request.extend_from_slice(&piece[..length]),
        }
    }
}
