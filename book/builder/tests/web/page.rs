//! One page as it is loaded: its barriers, its requests, and whether it fits the screen.

use crate::chromium::Chromium;
use crate::paper;
use crate::reader::Screen;
use crate::site::Site;
use crate::weight;
use serde_json::{Value, json};

/// The faults of a page on a screen. Everything that can be folded out is folded out.
pub(crate) fn faults(
    reader: &mut Chromium,
    site: &Site,
    page: &str,
    screen: Screen,
    axe: &str,
) -> Vec<String> {
    reader.sit_at(screen);
    reader.events();
    reader.load(&site.url(page));
    reader.eval("document.querySelectorAll('details').forEach(details => details.open = true)");
    reader.settle();
    let events = reader.events();

    let mut faults = errors(&events);
    let asked = requests(&events);
    faults.extend(foreign(&asked, site));
    faults.extend(too_wide(reader));
    faults.extend(unpainted(reader));
    // The whole book on one page has what the other pages have, and takes as long as all of them.
    if !page.starts_with("print") {
        faults.extend(barriers(reader, axe, screen));
    }
    // These are the same on every screen.
    if screen == Screen::DESK {
        faults.extend(weight::faults(&asked, site, page));
        faults.extend(paper::faults(reader));
    }
    faults.iter().map(|fault| format!("{page}, {screen}: {fault}")).collect()
}

/// What the console shows as an error.
fn errors(events: &[Value]) -> Vec<String> {
    let error = |event: &Value| {
        let parameters = &event["params"];
        let what = match event["method"].as_str()? {
            "Runtime.exceptionThrown" => {
                &parameters["exceptionDetails"]["exception"]["description"]
            }
            "Runtime.consoleAPICalled" if parameters["type"] == "error" => &parameters["args"],
            "Log.entryAdded" if parameters["entry"]["level"] == "error" => &parameters["entry"],
            _ => return None,
        };
        Some(format!("console error: {what}"))
    };
    events.iter().filter_map(error).collect()
}

/// The addresses that were asked for.
pub(crate) fn requests(events: &[Value]) -> Vec<&str> {
    let sent = events.iter().filter(|event| event["method"] == "Network.requestWillBeSent");
    sent.filter_map(|event| event["params"]["request"]["url"].as_str()).collect()
}

fn foreign(asked: &[&str], site: &Site) -> Vec<String> {
    let own = [site.url(""), "data:".to_owned(), "blob:".to_owned()];
    let foreign = asked.iter().filter(|url| !own.iter().any(|start| url.starts_with(start)));
    foreign.map(|url| format!("request to elsewhere: {url}")).collect()
}

/// What scrolls sideways, but for the boxes that are there for it.
fn too_wide(reader: &mut Chromium) -> Vec<String> {
    let wide = reader.eval(
        "[...document.querySelectorAll('*')].filter(element =>
            element.scrollWidth > element.clientWidth
            && (element === document.documentElement
                || /auto|scroll/.test(getComputedStyle(element).overflowX))
            && !element.matches('pre > code, .table-wrapper')
        ).map(({ localName, id, scrollWidth, clientWidth }) =>
            `scrolls sideways: ${localName} ${id}: ${scrollWidth} px in ${clientWidth} px`)",
    );
    sentences(&wide)
}

/// Pictures that their stylesheet did not reach: without a rule for it, a shape is black.
fn unpainted(reader: &mut Chromium) -> Vec<String> {
    let black = reader.eval(
        "[...document.querySelectorAll('figure.steps')].filter(figure =>
            [...figure.querySelectorAll('svg rect')].some(shape =>
                getComputedStyle(shape).fill === 'rgb(0, 0, 0)')
        ).map(({ id }) => `a shape of ${id} has no colour`)",
    );
    sentences(&black)
}

/// What axe-core finds. Only what is about colours differs between the themes, and what is about places
/// between the screens.
pub(crate) fn barriers(reader: &mut Chromium, axe: &str, screen: Screen) -> Vec<String> {
    let rules = match (screen.dark, screen.width < 600) {
        (true, _) => json!(["color-contrast", "link-in-text-block"]),
        (false, true) => json!(["target-size", "scrollable-region-focusable", "meta-viewport"]),
        (false, false) => {
            json!(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"])
        }
    };
    reader.eval(axe);
    let found = reader.eval(&format!(
        "axe.run({{ runOnly: {rules}, resultTypes: ['violations'] }}).then(({{ violations }}) =>
            violations.map(({{ id, help, nodes }}) =>
                `axe: ${{id}}: ${{help}}: ${{nodes.length}} of them, the first is ${{nodes[0].target}}`))"
    ));
    sentences(&found)
}

fn sentences(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().filter_map(Value::as_str).map(str::to_owned).collect()
}
