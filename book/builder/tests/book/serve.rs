//! The web server.

use crate::fixture::Repo;
use book::serve::Server;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

fn open(address: SocketAddr, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    stream
}

fn get(server: &Server, path: &str) -> String {
    let mut answer = String::new();
    open(server.address(), path).read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn pages_are_served_and_nothing_else() {
    let repo = Repo::quick();
    let server = Server::start(repo.path(), 0).unwrap();
    assert!(get(&server, "/").starts_with("HTTP/1.1 503"), "there is no book yet");
    server.rebuild().unwrap();

    for path in ["/", "/index.html", "/ch02-unshare.html", "/ch02-unshare.html?highlight=a"] {
        let answer = get(&server, path);
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/html"), "{path}");
        assert!(answer.ends_with("location.reload()</script>"), "{path} does not reload");
    }
    assert!(get(&server, "/img/uts.svg").contains("content-type: image/svg+xml"));
    for path in [
        "/gone.html",
        "/../book.toml",
        "/%2e%2e/book.toml",
        "/..%2fbook.toml",
        "//etc/passwd",
        "/img/../../src/start.md",
    ] {
        assert!(get(&server, path).starts_with("HTTP/1.1 404 Not Found"), "{path}");
    }
}

#[test]
fn a_failing_build_keeps_the_last_good_book() {
    let repo = Repo::quick();
    let server = Server::start(repo.path(), 0).unwrap();
    server.rebuild().unwrap();
    repo.edit("book/src/start.md", "Type `cargo", "Enter `cargo");
    repo.edit("book/src/errors.md", "(start.md)", "(gone.md)");
    assert_eq!(server.rebuild().unwrap_err().len(), 1);
    assert!(get(&server, "/start.html").contains("<p>Type "));
    repo.edit("book/src/errors.md", "(gone.md)", "(start.md)");
    server.rebuild().unwrap();
    assert!(get(&server, "/start.html").contains("<p>Enter "));
}

#[test]
fn a_change_reloads_the_page() {
    let repo = Repo::quick();
    let server = Server::start(repo.path(), 0).unwrap();
    server.rebuild().unwrap();
    let mut events = open(server.address(), "/.reload");
    let mut head = [0; 64];
    assert!(events.read(&mut head).unwrap() > 0);
    let address = server.address();
    std::thread::spawn(move || server.watch(|_, _| ()));
    let mut event = [0; 64];
    let length = events.read(&mut event).unwrap();
    assert_eq!(&event[..length], b"data: new book\n\n");

    let mut events = open(address, "/.reload");
    assert!(events.read(&mut head).unwrap() > 0);
    repo.edit("exercises/ch02-unshare/hints.md", "It is named", "You find it");
    let length = events.read(&mut event).unwrap();
    assert_eq!(&event[..length], b"data: new book\n\n");
    let mut page = String::new();
    open(address, "/ch02-unshare.html").read_to_string(&mut page).unwrap();
    assert!(page.contains("You find it"));
}

#[test]
fn a_busy_port_is_named() {
    let repo = Repo::quick();
    let server = Server::start(repo.path(), 0).unwrap();
    let port = server.address().port();
    let error = format!("{:#}", Server::start(repo.path(), port).err().unwrap());
    assert_eq!(
        error,
        format!(
            "cannot listen on 127.0.0.1:{port}\nhelp: choose another with --port N; 0 takes any \
             that is free: Address already in use (os error 98)"
        )
    );
}
