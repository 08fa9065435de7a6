//! The web server of the room.
//!
//! Everything stands below the code: `/CODE/` is the page, `/CODE/state` what it shows, and participants POST
//! to `/CODE/report` and `/CODE/leave`. An answer to them is JSON with a field `room`, by which a laptop knows
//! that no other server answers.
//!
//! A connection carries one request and ends after [`TIME`], so that one that says nothing, or a byte a
//! second, is gone then; and if there are more than [`CONNECTIONS`], the oldest ends, because one that works
//! takes some milliseconds.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::{Value, json};
use tokio::task::AbortHandle;
use xtask::shared::room::{LONGEST, code_of};
use xtask::shared::screen;

use crate::keep::Kept;
use crate::limits::Limits;
use crate::state::{Refusal, Room};

/// How long a connection may last.
const TIME: Duration = Duration::from_secs(10);

/// How many there may be at once. A process may usually have 1,024 descriptors.
const CONNECTIONS: usize = 256;

const PAGE: &str = include_str!("page/room.html");
const STYLE: &str = include_str!("page/room.css");
const SCRIPT: &str = include_str!("page/room.js");

/// The page loads its own two files and asks for its own state, and a browser refuses it everything else.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The room, for as many connections as there are.
pub struct Shared {
    inner: Mutex<Inner>,
    /// What the page says about how to join: `http://192.0.2.7:8440/k7qm3w`.
    address: String,
    /// Of the course, on this machine.
    edition: String,
}

struct Inner {
    room: Room,
    kept: Option<Kept>,
    /// Why the room on the disk is older than this one, if it is.
    trouble: String,
    /// Requests, and wrong codes.
    requests: Limits,
    wrong: Limits,
}

impl Shared {
    /// A room, where it is kept, at which address it is, and the edition of the course that it has.
    pub fn new(room: Room, kept: Option<Kept>, address: String, edition: String) -> Shared {
        let inner = Inner {
            room,
            kept,
            trouble: String::new(),
            // Forty laptops behind one address, each with a phone that shows the page.
            requests: Limits::new(400.0, 100.0),
            // A code has six of 31 characters: at this rate it is guessed after a thousand years.
            wrong: Limits::new(20.0, 0.2),
        };
        Shared { inner: Mutex::new(inner), address, edition }
    }

    /// The room as it is now.
    pub fn room(&self) -> Room {
        self.lock().room.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no panic while held")
    }
}

/// Serves the room until the runtime ends. To be called in a runtime of tokio's.
///
/// # Errors
///
/// The runtime does not take the listener.
pub async fn serve(listener: TcpListener, shared: Arc<Shared>) -> io::Result<Infallible> {
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut connections: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let Ok((stream, peer)) = listener.accept().await else {
            // The client has gone already, or there is no descriptor left: then some are about to end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        connections.retain(|connection| !connection.is_finished());
        while connections.len() >= CONNECTIONS {
            _ = connections.pop_front().map(|oldest| oldest.abort());
        }
        let shared = shared.clone();
        let work = async move {
            let answer = service_fn(|request| answer(request, peer, &shared));
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(TIME)
                .keep_alive(false)
                .max_buf_size(16 * 1024)
                .serve_connection(TokioIo::new(stream), answer);
            // That a client is gone or speaks another language is not for the teacher.
            _ = tokio::time::timeout(TIME, connection).await;
        };
        connections.push_back(tokio::spawn(work).abort_handle());
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    shared: &Shared,
) -> Result<Answer, Infallible> {
    let (head, body) = request.into_parts();
    let path = head.uri.path().to_owned();
    // It is empty where a proxy is asked for something.
    let below = path.strip_prefix('/').unwrap_or_default();
    let (code, what) = below.split_once('/').unwrap_or((below, ""));
    if let Some(refusal) = shared.refuses(peer.ip(), code, below.is_empty()) {
        return Ok(refusal);
    }
    let answer = match (head.method, what) {
        (Method::POST, "report" | "leave") => match read(body).await {
            Ok(request) => shared.take(what, &request),
            Err(refusal) => refusal,
        },
        (Method::POST, _) => said(StatusCode::NOT_FOUND, "there is no such thing in a room"),
        // Relative links of the page start from its folder.
        (Method::GET | Method::HEAD, "") if !path.ends_with('/') => moved(code),
        (Method::GET | Method::HEAD, "") => file("text/html; charset=utf-8", PAGE),
        (Method::GET | Method::HEAD, "room.css") => file("text/css; charset=utf-8", STYLE),
        (Method::GET | Method::HEAD, "room.js") => file("text/javascript; charset=utf-8", SCRIPT),
        (Method::GET | Method::HEAD, "state") => shared.state(),
        (Method::GET | Method::HEAD, _) => {
            text(StatusCode::NOT_FOUND, "there is no such page in a room")
        }
        _ => text(StatusCode::METHOD_NOT_ALLOWED, "GET, HEAD or POST"),
    };
    Ok(answer)
}

impl Shared {
    /// Whether the address asks too much, or does not know the code.
    fn refuses(&self, peer: IpAddr, code: &str, is_top: bool) -> Option<Answer> {
        let now = Instant::now();
        let mut inner = self.lock();
        let Inner { room, requests, wrong, .. } = &mut *inner;
        if !requests.take(peer, now) {
            return Some(said(
                StatusCode::TOO_MANY_REQUESTS,
                "too much is asked at once; wait a moment",
            ));
        }
        if !wrong.has(peer, now) {
            let why = "too many wrong codes came from this address; wait a minute";
            return Some(said(StatusCode::TOO_MANY_REQUESTS, why));
        }
        if is_top {
            let why = "a room is here, and its address ends in its code: http://…/CODE";
            return Some(said(StatusCode::NOT_FOUND, why));
        }
        if code_of(code).as_ref() == Some(&room.code) {
            return None;
        }
        // Browsers ask for it by themselves.
        if code != "favicon.ico" && code != "robots.txt" {
            wrong.take(peer, now);
        }
        let why = "the code is wrong, or the room has ended and another is open; copy the address from the \
                   room's page";
        Some(said(StatusCode::FORBIDDEN, why))
    }

    fn take(&self, what: &str, request: &Value) -> Answer {
        let mut inner = self.lock();
        // On the disk before it is answered, and not at all if that fails: the laptop will send it again.
        let mut room = inner.room.clone();
        let received = match what {
            "leave" => {
                room.forget(request);
                Ok(0)
            }
            _ => room.take(request, now()),
        };
        let received = match received {
            Ok(received) => received,
            Err(refusal) => return refused(&refusal),
        };
        if let Some(kept) = &inner.kept
            && let Err(error) = kept.write(&room)
        {
            if inner.trouble.is_empty() {
                screen::warn(&format!("error: the room cannot be kept: {error}\n"));
            }
            inner.trouble = error.to_string();
            let why = "the room cannot keep it now; it has to be sent again";
            return said(StatusCode::SERVICE_UNAVAILABLE, why);
        }
        inner.trouble.clear();
        inner.room = room;
        json(StatusCode::OK, &json!({ "room": 1, "received": received, "edition": self.edition }))
    }

    fn state(&self) -> Answer {
        let inner = self.lock();
        let mut view = inner.room.view(now());
        view["address"] = self.address.as_str().into();
        view["edition"] = self.edition.as_str().into();
        view["trouble"] = inner.trouble.as_str().into();
        json(StatusCode::OK, &view)
    }
}

fn refused(refusal: &Refusal) -> Answer {
    match refusal {
        Refusal::Request(why) => said(StatusCode::BAD_REQUEST, why),
        Refusal::Name(name) => {
            let why = format!("another participant is called `{name}`; choose another name");
            said(StatusCode::CONFLICT, &why)
        }
        Refusal::Full => said(StatusCode::FORBIDDEN, "the room is full"),
    }
}

/// The body of a request, which is not longer than a report can be.
async fn read(body: Incoming) -> Result<Value, Answer> {
    let whole = Limited::new(body, LONGEST).collect().await.map_err(|error| {
        match error.downcast_ref::<http_body_util::LengthLimitError>() {
            Some(_) => said(StatusCode::PAYLOAD_TOO_LARGE, "a report is not that long"),
            None => said(StatusCode::BAD_REQUEST, "the report did not arrive"),
        }
    })?;
    serde_json::from_slice(&whole.to_bytes())
        .map_err(|_| said(StatusCode::BAD_REQUEST, "a report is JSON"))
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A refusal, for people and for laptops.
fn said(status: StatusCode, why: &str) -> Answer {
    json(status, &json!({ "room": 1, "error": why }))
}

fn json(status: StatusCode, value: &Value) -> Answer {
    response(status, "application/json", value.to_string())
}

fn text(status: StatusCode, what: &str) -> Answer {
    response(status, "text/plain; charset=utf-8", format!("{what}\n"))
}

fn file(kind: &'static str, text: &'static str) -> Answer {
    response(StatusCode::OK, kind, text)
}

fn moved(code: &str) -> Answer {
    let mut answer = text(StatusCode::PERMANENT_REDIRECT, "the page has a slash at its end");
    // It is the room's code by now, so it is letters, digits and dashes.
    if let Ok(place) = HeaderValue::from_str(&format!("/{code}/")) {
        answer.headers_mut().insert(header::LOCATION, place);
    }
    answer
}

fn response(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The address has the code in it.
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}
