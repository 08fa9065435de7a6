//! A small web server for one reader: it serves the last good book and reloads it on a change.

use crate::directive::Audience;
use crate::fault::Fault;
use crate::live::Live;
use crate::paths::{files, percent_decoded};
use crate::site;
use anyhow::{Context as _, Result};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const POLL: Duration = Duration::from_millis(200);

const SOURCES: [&str; 7] = [
    "book/book.toml",
    "book/src",
    "book/theme",
    "book/figures/src",
    "book/traces",
    "exercises",
    "solutions",
];

/// Appended to every page: reloads it when the server sends an event.
const RELOAD: &str =
    "<script>new EventSource('/.reload').onmessage = () => location.reload()</script>";

const PENDING: &str = "<!DOCTYPE html><title>No book yet</title><h1>The book has faults</h1>\
    <p>They are listed in the terminal. This page reloads when they are gone.</p>";

/// A server on 127.0.0.1 and the book that it serves.
pub struct Server {
    repo: PathBuf,
    address: SocketAddr,
    live: Option<Live>,
    shared: Arc<Shared>,
}

/// The files of the book, held in memory: a request during a build, or after one that failed, is
/// answered from the last good book, and no path leads out of it.
type Pages = HashMap<String, Vec<u8>>;

#[derive(Default)]
struct Shared {
    current: Mutex<(u64, Arc<Pages>)>,
    changed: Condvar,
}

impl Server {
    /// Starts to listen on a port; 0 takes any free one. There is no book yet.
    pub fn start(repo: &Path, port: u16) -> Result<Server> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| {
            let help = "help: choose another with --port N; 0 takes any that is free";
            format!("cannot listen on 127.0.0.1:{port}\n{help}")
        })?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared::default());
        let for_clients = shared.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = for_clients.clone();
                thread::spawn(move || answer(client, &shared));
            }
        });
        Ok(Server { repo: repo.to_owned(), address, live: None, shared })
    }

    /// Serves the book with a machine.
    pub fn with(self, live: Option<Live>) -> Server {
        Server { live, ..self }
    }

    /// The address of the book.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Builds the book. If it has no fault, it replaces the one before, and open pages reload.
    pub fn rebuild(&self) -> Result<(), Vec<Fault>> {
        let built = site::build(&self.repo, Audience::Readers, self.live.as_ref())?;
        let read = |file: PathBuf| {
            let bytes = std::fs::read(built.join(&file)).ok()?;
            Some((file.to_str()?.to_owned(), bytes))
        };
        let pages = Arc::new(files(&built).into_iter().filter_map(read).collect());
        let mut current = self.shared.current.lock().expect("no panic while held");
        *current = (current.0 + 1, pages);
        self.shared.changed.notify_all();
        Ok(())
    }

    /// Rebuilds after every change of the sources. Does not return.
    pub fn watch(&self, mut report: impl FnMut(Result<(), Vec<Fault>>, Duration)) -> ! {
        let mut built = None;
        let mut before = fingerprint(&self.repo);
        loop {
            let now = fingerprint(&self.repo);
            // An editor writes in several steps, so a build waits until nothing changes any more.
            if now == before && built != Some(now) {
                let start = Instant::now();
                report(self.rebuild(), start.elapsed());
                built = Some(now);
            }
            before = now;
            thread::sleep(POLL);
        }
    }
}

/// A number that changes when a source of the book does.
fn fingerprint(repo: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    for root in SOURCES {
        let root = repo.join(root);
        let below = files(&root).into_iter().map(|file| root.join(file));
        for file in below.chain([root.clone()]) {
            if let Ok(metadata) = file.metadata() {
                (file, metadata.len(), metadata.modified().ok()).hash(&mut hasher);
            }
        }
    }
    hasher.finish()
}

fn answer(client: TcpStream, shared: &Shared) {
    // A client that closes its connection is not an error.
    let _ = try_answer(client, shared);
}

fn try_answer(mut client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    client.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut lines = BufReader::new(client.try_clone()?.take(64 * 1024)).lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    for header in lines {
        if header?.is_empty() {
            break;
        }
    }
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if method != "GET" && method != "HEAD" {
        return respond(&mut client, "405 Method Not Allowed", "text/plain", b"GET or HEAD", true);
    }
    let path = percent_decoded(path.split(['?', '#']).next().unwrap_or_default());
    if path == "/.reload" {
        return reload(client, shared);
    }
    let pages = shared.current.lock().expect("no panic while held").1.clone();
    let name = path.strip_prefix('/').unwrap_or(&path);
    let name = match name {
        "" => "index.html".to_owned(),
        directory if directory.ends_with('/') => format!("{directory}index.html"),
        file => file.to_owned(),
    };
    let (status, body, name) = match pages.get(&name) {
        Some(body) => ("200 OK", body.as_slice(), name.as_str()),
        None if pages.is_empty() => ("503 Service Unavailable", PENDING.as_bytes(), ".html"),
        None => {
            let page = pages.get("404.html").map_or(&b"not found"[..], Vec::as_slice);
            ("404 Not Found", page, "404.html")
        }
    };
    let mut body = body.to_vec();
    if name.ends_with(".html") {
        body.extend(RELOAD.as_bytes());
    }
    respond(&mut client, status, media_type(name), &body, method == "GET")
}

fn respond(
    client: &mut TcpStream,
    status: &str,
    media_type: &str,
    body: &[u8],
    with_body: bool,
) -> std::io::Result<()> {
    let length = body.len();
    write!(
        client,
        "HTTP/1.1 {status}\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\n\
         cache-control: no-store\r\nconnection: close\r\n\r\n"
    )?;
    client.write_all(if with_body { body } else { b"" })
}

/// Answers with server-sent events: one message when the next book is built.
fn reload(mut client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    client.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")?;
    let mut current = shared.current.lock().expect("no panic while held");
    let served = current.0;
    while current.0 == served {
        let wait = shared.changed.wait_timeout(current, Duration::from_secs(15));
        let (guard, timeout) = wait.expect("no panic while held");
        current = guard;
        if timeout.timed_out() {
            drop(current);
            client.write_all(b": still here\n\n")?; // fails if the client has closed the connection
            current = shared.current.lock().expect("no panic while held");
        }
    }
    drop(current);
    client.write_all(b"data: new book\n\n")
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
