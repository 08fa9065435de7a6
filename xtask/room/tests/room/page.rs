//! The page in a browser: on a projector and on a phone, with names that are no names.

use std::time::Duration;

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::common::{CODE, EDITION, Open, post};
use crate::reader::Screen;
use crate::tools::Tools;

/// A name has at most 32 characters.
const SCRIPT: &str = "<img src=x onerror=document.t=1>";

fn report(open: &Open, number: usize, name: &str, reports: Value) {
    let token = format!("{number:032x}");
    let body = json!({ "schema": 1, "token": token, "name": name, "reports": reports });
    let answer = post(open.at, &format!("/{CODE}/report"), &body.to_string());
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// Somebody joins with this edition of the course.
fn join(open: &Open, number: usize, name: &str, edition: &str) {
    let token = format!("{number:032x}");
    let body = json!({
        "schema": 1, "token": token, "name": name, "edition": edition, "reports": [],
    });
    let answer = post(open.at, &format!("/{CODE}/report"), &body.to_string());
    assert!(answer.contains(&format!(r#""edition":"{EDITION}""#)), "{answer}");
}

fn check(sequence: u64, outcome: &str, mistake: &str) -> Value {
    json!({
        "sequence": sequence, "chapter": "ch02-unshare", "outcome": outcome, "passed": 1, "of": 4,
        "mistake": mistake,
    })
}

/// Forty participants, with every signal, and one that writes HTML wherever it can.
fn full() -> Open {
    let open = Open::new();
    for number in 0..38 {
        let mistake = ["the child is not waited for", "the name is set too early", ""][number % 3];
        report(
            &open,
            number,
            &format!("participant {number}"),
            json!([check(1, "failed", mistake)]),
        );
    }
    report(
        &open,
        38,
        SCRIPT,
        json!([
            { "sequence": 1, "chapter": SCRIPT, "outcome": "failed", "passed": 0, "of": 1, "mistake": SCRIPT },
            { "sequence": 2, "signal": "stuck", "text": SCRIPT },
        ]),
    );
    report(&open, 39, "Zoë with a name of 32 characters", json!([check(1, "solved", "")]));
    report(
        &open,
        3,
        "x",
        json!([{ "sequence": 2, "signal": "stuck", "text": "word ".repeat(60) }]),
    );
    report(&open, 5, "x", json!([{ "sequence": 2, "signal": "done" }]));
    open
}

fn url(open: &Open) -> String {
    format!("http://{}/{CODE}/", open.at)
}

/// Opens the page and waits until it shows somebody.
fn look(browser: &mut Chromium, open: &Open) {
    browser.open(&url(open));
    browser.wait_for("document.querySelector('#participants li') !== null");
    browser.settle();
}

fn faults(browser: &mut Chromium, axe: &str) -> Vec<String> {
    browser.eval(axe);
    let found = browser.eval(
        "axe.run({ resultTypes: ['violations'] }).then(({ violations }) => violations.map(
            ({ id, help, nodes }) => `axe: ${id}: ${help}: ${nodes[0].target}`))",
    );
    let wide = browser.eval(
        "document.documentElement.scrollWidth > document.documentElement.clientWidth
            ? ['scrolls sideways'] : []",
    );
    let all = [found, wide].map(|list| list.as_array().unwrap().clone()).concat();
    all.iter().map(|fault| fault.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_page_is_good_on_a_projector_and_on_a_phone() {
    let Some(Tools { mut browser, axe }) = Tools::find() else { return };
    let (open, empty) = (full(), Open::new());
    for screen in [Screen::PROJECTOR, Screen { dark: true, ..Screen::PROJECTOR }, Screen::PHONE] {
        browser.sit_at(screen);
        look(&mut browser, &open);
        assert_eq!(faults(&mut browser, &axe), [""; 0], "{screen}");
        browser.open(&url(&empty));
        browser.wait_for("document.querySelector('#join code') !== null");
        assert!(browser.sees("#all .none") && browser.sees("#hands .none"), "{screen}");
        assert_eq!(faults(&mut browser, &axe), [""; 0], "{screen}, empty");
        // A planted fault is found.
        browser.eval(
            "document.body.append(new Image(), document.createElement('div'));
             document.body.lastChild.style = 'width: 3000px; height: 1px'",
        );
        let found = faults(&mut browser, &axe).join("\n");
        assert!(found.contains("image-alt") && found.contains("scrolls sideways"), "{found}");
    }
}

#[test]
fn what_participants_write_is_text() {
    let Some(Tools { mut browser, .. }) = Tools::find() else { return };
    let open = full();
    browser.sit_at(Screen::PROJECTOR);
    look(&mut browser, &open);
    assert_eq!(browser.eval("document.querySelectorAll('main img, main script').length"), 0);
    assert_eq!(browser.eval("document.title"), "(2 stuck) The room");
    let text = browser.eval("document.querySelector('#stuck').textContent");
    // Three times in the list of hands: the name, the chapter, the text; and the mistake.
    assert_eq!(text.as_str().unwrap().matches("<img src=x").count(), 4, "{text}");
    // If a script came into the page all the same, the policy would keep it from running.
    browser.eval(
        "document.body.insertAdjacentHTML('beforeend', \"<img src=x onerror='window.ran = 1'>\")",
    );
    browser.settle();
    assert_eq!(browser.eval("window.ran === undefined"), true);
}

#[test]
fn signals_have_a_shape_and_a_word_and_the_oldest_comes_first() {
    let Some(Tools { mut browser, .. }) = Tools::find() else { return };
    let open = full();
    browser.sit_at(Screen::PROJECTOR);
    look(&mut browser, &open);
    let names = "[...document.querySelectorAll('#stuck .name')].map(one => one.textContent)";
    assert_eq!(browser.eval(names), json!([SCRIPT, "participant 3"]));
    let shapes = "new Set([...document.querySelectorAll('#counts path')].map(one => one.getAttribute('d'))).size";
    assert_eq!(browser.eval(shapes), 3);
    assert_eq!(
        browser.eval("document.querySelector('#counts').textContent"),
        "2 stuck1 done37 at work"
    );
    let most = browser.eval("document.querySelector('#mistakes li').textContent");
    assert_eq!(most, "13the child is not waited for (ch2 unshare)");
    // It follows without being loaded again.
    report(&open, 7, "x", json!([{ "sequence": 2, "signal": "stuck", "text": "" }]));
    browser.wait_for("document.title === '(3 stuck) The room'");
}

#[test]
fn another_edition_of_the_course_is_shown() {
    let Some(Tools { mut browser, axe }) = Tools::find() else { return };
    let open = Open::new();
    join(&open, 1, "ada", EDITION);
    // A checkout that cannot say its edition is not called wrong.
    join(&open, 2, "bob", "");
    browser.sit_at(Screen::PHONE);
    look(&mut browser, &open);
    let said = "document.querySelector('#editions').textContent";
    assert_eq!(browser.eval(said), "");
    join(&open, 3, "carol", "2026-11-29-0000000");
    join(&open, 4, SCRIPT, SCRIPT);
    browser.wait_for("document.querySelector('#editions').textContent !== ''");
    let text = browser.eval(said);
    assert_eq!(
        text,
        format!(
            "Another edition of the course than this machine's {EDITION}: {SCRIPT} ({SCRIPT}), carol (2026-11-29-0000000)"
        )
    );
    assert_eq!(faults(&mut browser, &axe), [""; 0]);
    for number in 5..15 {
        join(&open, number, &format!("one {number}"), "2026-11-29-0000000");
    }
    browser.wait_for("document.querySelector('#editions').textContent.endsWith(', and 6 more')");
}

#[test]
fn a_page_survives_the_end_of_its_room() {
    let Some(Tools { mut browser, .. }) = Tools::find() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("room.json");
    let open = Open::kept(&file, None);
    let at = open.at;
    report(&open, 1, "ada", json!([]));
    browser.sit_at(Screen::PHONE);
    look(&mut browser, &open);
    drop(open);
    browser.wait_for(
        "document.querySelector('#trouble').textContent.startsWith('The room does not answer')",
    );
    assert!(browser.sees("#trouble"));
    let said = browser.eval("document.querySelector('#trouble').textContent");
    assert!(said.as_str().unwrap().contains("This is how it was at "), "{said}");
    let open = Open::kept(&file, Some(at));
    report(&open, 2, "bob", json!([]));
    browser.wait_for("document.querySelectorAll('#participants li').length === 2");
    assert_eq!(browser.eval("document.querySelector('#trouble').textContent"), "");
    drop(open);
    std::thread::sleep(Duration::from_millis(10));
    // Another room on that port is not taken for this one.
    let other = Open::kept(&folder.path().join("other.json"), Some(at));
    browser.eval("history.replaceState(null, '', '/aaaaaa/')");
    browser
        .wait_for("document.querySelector('#trouble').textContent.includes('the code is wrong')");
    drop(other);
}
