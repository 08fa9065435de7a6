//! `--live`: a page of this machine that shows which process is in which namespace while a reader works in a
//! lab's shell, drawn like the book's figures.
//!
//! The page is served to 127.0.0.1 and to no other address. A server crate would be compiled by every reader
//! before the first check, so these few answers are written by hand.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use figures::{Selection, View, picture};
use harness::sandbox::Run;
use harness::sketch::{self, Sketcher};

use xtask::shared::failure::{Failure, Result};
use xtask::shared::screen;

/// The pause between two looks at the lab.
const LOOK_AGAIN: Duration = Duration::from_millis(150);

/// How long a client may take to send its request.
const PATIENCE: Duration = Duration::from_secs(2);

/// The longest request that is read.
const LONGEST: u64 = 8 * 1024;

/// What may be drawn, and how the page calls it.
const VIEWS: [(View, &str); 4] = [
    (View::Membership, "which process is in which namespace"),
    (View::Pointers, "the namespaces of each process"),
    (View::Processes, "the processes and their pids"),
    (View::Owners, "which user namespace owns what"),
];

/// What is drawn now, and a number that changes with it.
#[derive(Default)]
struct Shown {
    version: u64,
    trace: harness::trace::Trace,
    over: bool,
}

/// Serves the page as long as this process runs, and prints its address.
///
/// # Errors
///
/// What this machine refuses: the port, a descriptor, a thread.
pub(crate) fn start(run: &Run) -> Result<()> {
    let refused = |error: io::Error| Failure::machine(format!("could not serve a page: {error}"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(refused)?;
    let address = listener.local_addr().map_err(refused)?;
    let mut sketcher = Sketcher::of(run).map_err(refused)?;
    let shown = Arc::new(Mutex::new(Shown::default()));
    let for_clients = shown.clone();
    let look = move || {
        loop {
            let news = sketcher.look();
            let mut shown = shown.lock().expect("no panic while held");
            if let Some(trace) = news {
                shown.version += 1;
                shown.trace = trace;
            }
            shown.over = sketcher.is_over();
            if shown.over {
                return;
            }
            drop(shown);
            thread::sleep(LOOK_AGAIN);
        }
    };
    let serve = move || {
        for client in listener.incoming().flatten() {
            let shown = for_clients.clone();
            // Where no thread can be started, this client gets no answer, and asks again.
            let answer = move || _ = answer(client, address, &shown);
            _ = thread::Builder::new().spawn(answer);
        }
    };
    for work in [Box::new(look) as Box<dyn FnOnce() + Send>, Box::new(serve)] {
        thread::Builder::new().spawn(work).map_err(|error| Failure::thread(&error))?;
    }
    screen::warn(&format!("the lab is drawn at http://{address}/ as long as it lasts\n"));
    Ok(())
}

/// One request: `/` for the page, `/VIEW/VERSION` for a picture that is newer than that.
fn answer(mut client: TcpStream, address: SocketAddr, shown: &Mutex<Shown>) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let mut lines = BufReader::new(client.try_clone()?.take(LONGEST)).lines();
    let request = lines.next().unwrap_or(Ok(String::new()))?;
    let mut host = String::new();
    for header in lines {
        let header = header?;
        match header.split_once(':') {
            Some((name, value)) if name.eq_ignore_ascii_case("host") => {
                value.trim().clone_into(&mut host)
            }
            Some(_) => {}
            None => break,
        }
    }
    let path = request.strip_prefix("GET ").and_then(|rest| rest.split(' ').next());
    // A page of another site may have a name that leads here; it must not read what is drawn.
    let is_ours = [address.to_string(), format!("localhost:{}", address.port())].contains(&host);
    let (status, kind, body) = match path {
        Some("/") if is_ours => ("200 OK", "text/html", page()),
        Some("/live.js") if is_ours => {
            ("200 OK", "text/javascript", include_str!("live/live.js").into())
        }
        Some(path) if is_ours => match drawn(path, shown) {
            Drawn::News(version, body) => ("200 OK", "image/svg+xml", format!("{version}\n{body}")),
            Drawn::Same => ("204 No Content", "text/plain", String::new()),
            Drawn::Over => ("410 Gone", "text/plain", String::new()),
            Drawn::Unknown => ("404 Not Found", "text/plain", String::new()),
        },
        _ => ("400 Bad Request", "text/plain", String::new()),
    };
    write!(
        client,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
         Content-Security-Policy: default-src 'none'; script-src 'self'; connect-src 'self'; \
         style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// What there is to draw for a client.
enum Drawn {
    News(u64, String),
    /// The client has it already.
    Same,
    /// The lab has ended.
    Over,
    Unknown,
}

fn drawn(path: &str, shown: &Mutex<Shown>) -> Drawn {
    let words: Vec<&str> = path.split('/').collect();
    let [_, name, version] = words[..] else { return Drawn::Unknown };
    let view = VIEWS.iter().find(|(view, _)| view.name() == name);
    let (Some((view, title)), Ok(version)) = (view, version.parse::<u64>()) else {
        return Drawn::Unknown;
    };
    let shown = shown.lock().expect("no panic while held");
    if shown.over {
        return Drawn::Over;
    }
    if shown.version == version {
        return Drawn::Same;
    }
    let selection = Selection { kinds: sketch::kinds(&shown.trace), ..Selection::default() };
    let drawn = picture(&shown.trace, *view, &selection, "live", title);
    Drawn::News(
        shown.version,
        drawn.unwrap_or_else(|_| "<p>There is nothing to draw yet.</p>".into()),
    )
}

fn page() -> String {
    let options = VIEWS
        .iter()
        .map(|(view, title)| format!("<option value=\"{}\">{title}</option>", view.name()));
    include_str!("live/page.html")
        .replace("{{figures}}", figures::CSS)
        .replace("{{views}}", &options.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_and_a_version_are_asked_for() {
        let shown = Mutex::new(Shown { version: 3, ..Shown::default() });
        let what = |path: &str| match drawn(path, &shown) {
            Drawn::News(version, _) => format!("news {version}"),
            Drawn::Same => "same".to_owned(),
            Drawn::Over => "over".to_owned(),
            Drawn::Unknown => "unknown".to_owned(),
        };
        assert_eq!(what("/membership/0"), "news 3");
        assert_eq!(what("/membership/3"), "same");
        for unknown in
            ["/", "/membership", "/moon/0", "/membership/x", "/membership/0/0", "membership/0"]
        {
            assert_eq!(what(unknown), "unknown", "{unknown}");
        }
        shown.lock().unwrap().over = true;
        assert_eq!(what("/membership/0"), "over");
    }

    #[test]
    fn the_page_is_complete() {
        let page = page();
        assert!(!page.contains("{{"), "{page}");
        assert!(page.contains("<option value=\"membership\">"));
    }
}
