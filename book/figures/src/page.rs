//! A trace as one HTML page that loads nothing: its pictures, and every call.

use std::fmt::Write as _;

use trace::{Outcome, Trace, World};

use crate::figure::{View, caller, figure};
use crate::scene::Selection;
use crate::stepper;
use crate::svg::{CSS, escape};

/// Events after this many are in the table only: with a picture of each the page would have megabytes.
const DRAWN: usize = 200;

const PAGE_CSS: &str = "\
:root { color-scheme: light dark }
body { max-width: 72rem; margin: 0 auto; padding: 1rem; line-height: 1.5; font-family: system-ui, -apple-system, \"Segoe UI\", Roboto, sans-serif;
  background: light-dark(#ffffff, #161923); color: light-dark(#1d2026, #d0d2de) }
h1 { font-size: 1.5rem; overflow-wrap: anywhere } h2 { font-size: 1.2rem; margin-block: 2rem 0.5rem }
code { font-family: ui-monospace, Menlo, Consolas, \"Liberation Mono\", \"DejaVu Sans Mono\", monospace; font-size: 0.9em; overflow-wrap: anywhere }
.views { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 0 2rem; align-items: start }
.views > section { min-width: 0 }
.calls { overflow-x: auto } .calls:focus-visible { outline: 2px solid light-dark(#0a58a6, #79b8ea) }
table { border-collapse: collapse; width: 100%; font-size: 0.94rem }
th, td { padding: 0.35rem 0.7rem 0.35rem 0; border-block-end: 1px solid light-dark(#e0e0db, #2f3547); text-align: start; vertical-align: top }
td:first-child { color: light-dark(#5a606b, #9aa0b4) } .failed td { font-weight: 600 } .why { font-weight: 400; margin: 0 }
.note { color: light-dark(#5a606b, #9aa0b4) }
@media print { .calls { overflow: visible } }
";

/// A page that shows what one run did: which process is in which namespace, the tree of processes,
/// and all calls with their results. It needs no other file, and no network.
pub fn page(trace: &Trace) -> String {
    let program = escape(&trace.program.join(" "));
    let shown =
        Trace { events: trace.events.iter().take(DRAWN).cloned().collect(), ..trace.clone() };
    let views = [
        (
            View::Membership,
            "membership",
            "Which process is in which namespace",
            "What a step changed has a thick outline and a word. A dashed outline is a process that has just left or ended.",
        ),
        (
            View::Processes,
            "processes",
            "The processes and their pids",
            "A column for each PID namespace: the pid that a process has there.",
        ),
    ];
    let mut body = String::new();
    for (view, id, title, caption) in views {
        writeln!(body, "<section>\n<h2>{title}</h2>").expect("a String takes all");
        match figure(&shown, view, &Selection::default(), id, caption) {
            Ok(figure) => body += &figure,
            Err(_) => body += "<p>The run made no namespace and joined none.</p>\n",
        }
        body += "</section>\n";
    }
    let mut notes = Vec::new();
    if trace.events.len() > DRAWN {
        notes.push(format!("The pictures show the first {DRAWN} steps."));
    }
    if trace.dropped > 0 {
        notes.push(format!("{} more calls were counted and not kept.", trace.dropped));
    }
    if !trace.complete {
        notes.push("The recording was cut off: what came after is not known.".to_owned());
    }
    let notes: String =
        notes.iter().map(|note| format!("<p class=\"note\">{note}</p>\n")).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{program}</title>\n<style>\n{PAGE_CSS}{}{CSS}</style>\n</head>\n<body>\n<main>\n\
         <h1><code>{program}</code></h1>\n<div class=\"views\">\n{body}</div>\n<h2>Every call</h2>\n{notes}{}</main>\n\
         <script>\n{}</script>\n</body>\n</html>\n",
        stepper::CSS,
        table(trace),
        stepper::JS,
    )
}

fn table(trace: &Trace) -> String {
    let mut rows = String::new();
    let mut world = World::default();
    for (number, event) in trace.events.iter().enumerate() {
        let caller = escape(&caller(&world, event).unwrap_or_default());
        world.apply(event);
        let (class, result) = match &event.outcome {
            Outcome::Value(value) => ("", value.to_string()),
            Outcome::Never => ("", String::new()),
            Outcome::Error { errno, why } => {
                let why = why.as_ref().map(|why| format!("<p class=\"why\">{}</p>", escape(why)));
                let errno = escape(&format!("{errno:?}"));
                (" class=\"failed\"", errno + &why.unwrap_or_default())
            }
        };
        let text = escape(&event.text);
        writeln!(rows, "<tr{class}><td>{number}</td><td>{caller}</td><td><code>{text}</code></td><td>{result}</td></tr>")
            .expect("a String takes all");
    }
    format!(
        "<div class=\"calls\" tabindex=\"0\" role=\"region\" aria-label=\"Every call\">\n<table>\n\
         <thead><tr><th scope=\"col\">#</th><th scope=\"col\">caller, pid</th><th scope=\"col\">call</th>\
         <th scope=\"col\">result</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n</div>\n"
    )
}
