//! The speaker view under a speaker's hands: `slides.md`, on a projector of 1024 × 768.

use std::time::{Duration, Instant};

use crate::chromium::Chromium;
use crate::faults::Faults;
use crate::fixture::Repo;
use crate::page;
use crate::reader::Screen;
use crate::site::Site;
use crate::small_book;
use serde_json::{Value, json};

const PAGE: &str = "ch03-slides.html?present";

/// The small book with a page that is a chapter, so that it has mistakes.
pub(crate) fn book_of_slides() -> Repo {
    let repo = small_book();
    let figure = include_str!("figures.md").split("\n\n").nth(2).unwrap();
    let paragraphs: String =
        (0..60).map(|n| format!("Paragraph {n} of a section that is too long.\n\n")).collect();
    let page =
        include_str!("slides.md").replace("FIGURE", figure).replace("PARAGRAPHS", &paragraphs);
    let page = page
        .replace(
            "[minutes]\n",
            "[minutes]\nreading = { estimate = 1 }\nexercise = { estimate = 1 }\n",
        )
        .replace("A page of sections.", "Reading takes 1 minutes, the exercise 1.");
    repo.write("book/src/ch03-slides.md", &page);
    std::fs::create_dir_all(repo.path().join("exercises/ch03-slides")).unwrap();
    let mistake = "[[mistake]]\nname = 'a name that is never set'\ncause = 'So.'\nremedy = 'Set it.'\nsee = 'guess'\n";
    repo.write("exercises/ch03-slides/mistakes.toml", mistake);
    repo.edit("book/src/SUMMARY.md", "[Errors]", "[Slides](ch03-slides.md)\n\n[Errors]");
    repo
}

pub(crate) fn faults(speaker: &mut Chromium, site: &Site, axe: &str) -> Vec<String> {
    let mut faults = Faults::default();
    for dark in [false, true] {
        speaker.sit_at(Screen { dark, ..Screen::PROJECTOR });
        open(speaker, site);
        faults.0.extend(page::barriers(speaker, axe, Screen { dark, ..Screen::DESK }));
    }
    speaker.sit_at(Screen::PROJECTOR);
    faults.0.extend(walk(speaker, site));
    keys(speaker, site, &mut faults);
    notes(speaker, site, axe, &mut faults);
    faults.0.extend(window(speaker, site));
    faults.0.iter().map(|fault| format!("speaker view: {fault}")).collect()
}

fn open(speaker: &mut Chromium, site: &Site) {
    speaker.load("about:blank");
    speaker.load(&site.url(PAGE));
    speaker.wait_for("document.documentElement.classList.contains('presented')");
    speaker.settle();
}

/// The section that is shown, the frame of its figure, and whether its answer is open.
fn state(speaker: &mut Chromium) -> Value {
    speaker.eval(
        "(() => {
            const seen = [...document.querySelectorAll('main > *')].filter(part => part.checkVisibility());
            const figure = seen.find(part => part.matches('.stepping'));
            const frames = [...figure?.querySelectorAll('.frame') ?? []];
            const answer = seen.find(part => part.matches('details'));
            return [
                seen.find(part => part.matches('h1, h2, h3'))?.textContent,
                frames.findIndex(frame => frame.matches('.current')) + 1,
                answer?.open ?? false,
            ];
        })()",
    )
}

/// The faults of going through the sections on a projector.
pub(crate) fn walk(speaker: &mut Chromium, site: &Site) -> Vec<String> {
    let mut faults = Faults::default();
    speaker.sit_at(Screen::PROJECTOR);
    steps(speaker, site, &mut faults);
    faults.0
}

/// From the first section to the last with one key, as a clicker has it, and back with the other.
fn steps(speaker: &mut Chromium, site: &Site, faults: &mut Faults) {
    open(speaker, site);
    let mut seen = vec![state(speaker)];
    let mut scrolled = 0;
    while seen.len() < 40 && seen.last().is_some_and(|state| state[0] != "Last") {
        let before = place(speaker);
        speaker.press("PageDown");
        let now = state(speaker);
        match seen.last() == Some(&now) {
            true => {
                let moved = place(speaker)["top"].as_f64() > before["top"].as_f64();
                faults.unless(moved, format!("a step did nothing in {now}"));
                if !moved {
                    return;
                }
                scrolled += 1;
            }
            false => {
                // What has been left was seen to its end.
                let rest = before["rest"].as_f64().unwrap_or_default();
                let left_unseen = seen.last().is_some_and(|last| last[0] != now[0]) && rest > 1.0;
                faults.unless(!left_unseen, format!("{rest} px were not seen before {now}"));
                seen.push(now);
            }
        }
    }
    let right = json!([
        ["Slides", 0, false],
        ["Guess", 0, false],
        ["Guess", 0, true],
        ["A figure", 1, false],
        ["A figure", 2, false],
        ["A figure", 3, false],
        ["Long", 0, false],
        ["The solution, explained", 0, false],
        ["Last", 0, false],
    ]);
    faults.unless(json!(seen) == right, format!("the steps are {}", json!(seen)));
    faults.unless(scrolled >= 3, format!("the long section took {scrolled} steps"));
    let ends = json!(["A figure", 3, false]);
    for _ in 0..40 {
        if state(speaker) == ends {
            break;
        }
        speaker.press("PageUp");
    }
    for frame in [2, 1] {
        speaker.press("PageUp");
        let now = state(speaker);
        faults.unless(now == json!(["A figure", frame, false]), format!("back to {now}"));
    }
    speaker.press("PageUp");
    let now = state(speaker);
    faults.unless(now == json!(["Guess", 0, true]), format!("back to {now}"));
    let wide = speaker.eval("document.querySelector('main').scrollWidth > innerWidth");
    faults.unless(wide == false, "the section scrolls sideways");
    let size =
        speaker.eval("parseFloat(getComputedStyle(document.querySelector('main > p')).fontSize)");
    let large = size.as_f64().is_some_and(|size| size >= 768.0 / 30.0);
    faults.unless(large, format!("the letters have {size} px"));
}

/// How far the section is scrolled, and how much of it is below the screen.
fn place(speaker: &mut Chromium) -> Value {
    speaker.eval(
        "(() => {
            const main = document.querySelector('main');
            return { top: main.scrollTop, rest: main.scrollHeight - main.clientHeight - main.scrollTop };
        })()",
    )
}

fn keys(speaker: &mut Chromium, site: &Site, faults: &mut Faults) {
    open(speaker, site);
    for (keys, section) in [
        (["End", ""], "Last"),
        (["Home", ""], "Slides"),
        (["3", "Enter"], "A figure"),
        (["ArrowLeft", ""], "Guess"),
        ([" ", " "], "A figure"),
    ] {
        for key in keys.into_iter().filter(|key| !key.is_empty()) {
            speaker.press(key);
        }
        let now = state(speaker);
        faults.unless(now[0] == section, format!("after {keys:?}: {now}, not {section}"));
    }
    let black = |speaker: &mut Chromium| speaker.sees(".present-black");
    speaker.press("b");
    let is_black = black(speaker);
    faults.unless(is_black, "b does not make it black");
    speaker.press("b");
    let is_black = black(speaker);
    faults.unless(!is_black, "a second b leaves it black");
    // The two minutes of the page run down by themselves.
    speaker
        .wait_for("document.querySelector('.present-time').textContent.includes('of 2 min, 1:5')");
    speaker.press("Escape");
    speaker.wait_for("location.search === '' && document.readyState === 'complete'");
    let left = speaker.eval("[location.hash, document.querySelector('.present-bar') === null]");
    faults.unless(left == json!(["#a-figure", true]), format!("Escape leads to {left}"));
}

/// The second window, here a second page of the same browser, follows and leads.
fn notes(speaker: &mut Chromium, site: &Site, axe: &str, faults: &mut Faults) {
    open(speaker, site);
    speaker.eval("window.room = document.createElement('iframe'); room.src = location.pathname + '?present=notes'; room.style.display = 'none'; document.body.append(room)");
    let text = |selector: &str| {
        format!("(room.contentDocument?.querySelector('{selector}')?.textContent ?? '')")
    };
    speaker.wait_for(&format!("{}.includes('1 of 6: Slides')", text("h1")));
    speaker.press("ArrowRight");
    speaker.wait_for(&format!("{}.includes('2 of 6: Guess')", text("h1")));
    let said = speaker.eval(&text("main"));
    for part in
        ["Let the room guess.", "Which of the two?", "The first.", "Next: A figure", "of 2 min"]
    {
        faults.unless(
            said.as_str().is_some_and(|said| said.contains(part)),
            format!("the notes lack {part:?}: {said}"),
        );
    }
    speaker.load("about:blank");
    speaker.load(&site.url(&PAGE.replace("present", "present=notes")));
    speaker.wait_for("document.querySelector('.present-notes') !== null");
    speaker.settle();
    faults.0.extend(page::barriers(speaker, axe, Screen::DESK));
}

/// The key n opens one second window, which follows, and in which the keys work as well.
pub(crate) fn window(speaker: &mut Chromium, site: &Site) -> Vec<String> {
    let mut faults = Faults::default();
    open(speaker, site);
    speaker.press("n");
    windows_of_notes(speaker);
    speaker.press("n");
    speaker.settle();
    let windows = windows_of_notes(speaker);
    let [window] = windows.as_slice() else {
        faults.unless(false, format!("n, pressed twice, opens {} windows of notes", windows.len()));
        return faults.0;
    };
    speaker.press("ArrowRight");
    let shown = speaker.in_window(window, |notes| {
        let shows = |part: &str| {
            format!("(document.querySelector('h1')?.textContent ?? '').includes('{part}')")
        };
        notes.wait_for(&shows("2 of 6: Guess"));
        notes.press("Home");
        notes.wait_for(&shows("1 of 6: Slides"));
        notes.eval("document.querySelector('main').textContent.includes('Next: Guess')")
    });
    faults.unless(shown == true, "the window of notes does not say what comes next");
    let now = state(speaker);
    faults.unless(now[0] == "Slides", format!("a key in the window of notes leads to {now}"));
    faults.0
}

/// The windows of notes, as soon as there is one, and no other has come for a while. While a window loads, which the
/// second key lets it do once more, it has no address.
fn windows_of_notes(speaker: &mut Chromium) -> Vec<String> {
    let start = Instant::now();
    let mut last = (Vec::new(), start);
    loop {
        let windows = speaker.windows("present=notes");
        if windows != last.0 {
            last = (windows, Instant::now());
        }
        let is_final = !last.0.is_empty() && last.1.elapsed() > Duration::from_secs(1);
        if is_final || start.elapsed() > Duration::from_secs(10) {
            return last.0;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What a page without `?present` asks for: nothing of the view.
pub(crate) fn weight(reader: &mut Chromium, site: &Site) -> Vec<String> {
    reader.sit_at(Screen::DESK);
    reader.events();
    reader.open(&site.url(PAGE.split('?').next().unwrap()));
    let events = reader.events();
    let asked = page::requests(&events).into_iter().filter(|url| url.contains("/present/"));
    asked.map(|url| format!("a page that is read asks for {url}")).collect()
}
