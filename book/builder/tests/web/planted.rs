//! Every kind of fault, planted once in the small book: the tests find it.

use crate::chromium::Chromium;
use crate::reader::Screen;
use crate::site::Site;
use crate::stepper::Test;
use crate::tools::Tools;
use crate::{page, paper, present, search, sidebar, small_book, stepper};
use std::path::Path;

/// A text, in a page of the book, and the fault that is found.
fn pages() -> [(&'static str, String, &'static str); 7] {
    let noise: String =
        (0..40_000_u32).map(|n| format!("{:x}", n.wrapping_mul(2_654_435_761))).collect();
    [
        ("unnamed", "<img src=\"img/uts.svg\">".to_owned(), "axe: image-alt: "),
        ("error", "<script>console.error('planted')</script>".to_owned(), "console error: "),
        ("exception", "<script>planted()</script>".to_owned(), "console error: "),
        (
            "foreign",
            "<script>new Image().src = 'http://planted.example/x.png'</script>".to_owned(),
            "request to elsewhere: http://planted.example/x.png",
        ),
        ("wide", "<div style=\"width: 1300px\">planted</div>".to_owned(), "scrolls sideways"),
        (
            "unpainted",
            "<figure class=\"steps\" id=\"fig-plain\"><ol class=\"frames\"><li class=\"frame\" id=\"fig-plain-1\">\
             <p class=\"frame-text\">one</p><svg role=\"img\" aria-label=\"a box\" viewBox=\"0 0 360 20\">\
             <rect width=\"20\" height=\"20\"/></svg></li></ol><figcaption>A box.</figcaption></figure>"
                .to_owned(),
            "a shape of fig-plain has no colour",
        ),
        ("heavy", format!("<!-- {noise} -->"), "more than 122880"),
    ]
}

#[test]
fn a_fault_of_a_page_is_found() {
    let Some(Tools { mut browser, axe }) = Tools::find() else { return };
    let repo = small_book();
    let mut summary = String::new();
    for (name, text, _) in pages() {
        summary += &format!("[{name}]({name}.md)\n\n");
        repo.write(&format!("book/src/{name}.md"), &format!("# Planted\n\n{text}\n"));
    }
    repo.edit("book/src/SUMMARY.md", "[Errors]", &format!("{summary}[Errors]"));
    let site = Site::of(repo.path());
    let mut faults = |name| {
        let page = format!("{name}.html");
        page::faults(&mut browser, &site, &page, Screen::DESK, &axe).join("\n")
    };
    for (name, _, fault) in pages() {
        let found = faults(name);
        assert!(found.contains(fault), "planted: {fault}\nfound: {found}");
    }
    assert_eq!(faults("figures"), "", "nothing is planted there");
}

/// A change of a file, the test that looks at it, and the fault that is found.
type Change = (&'static str, &'static str, &'static str, Look, &'static str);
type Look = fn(&mut Chromium, &Site) -> Vec<String>;

const CHANGES: [Change; 7] = [
    (
        "figures/src/stepper.js",
        "event.stopPropagation();",
        "",
        |reader, site| stepper::faults(reader, site, Screen::DESK, Test::keys),
        "ArrowRight: the page was turned",
    ),
    (
        "figures/src/stepper.js",
        "other.classList.toggle('current', i === current)",
        "other.hidden = !other.classList.toggle('current', i === current)",
        |reader, site| stepper::faults(reader, site, Screen::DESK, Test::clicks),
        "has another height",
    ),
    (
        "figures/src/stepper.css",
        "visibility: hidden; opacity: 0;",
        "",
        |reader, site| stepper::faults(reader, site, Screen::DESK, Test::clicks),
        "are seen",
    ),
    (
        "figures/src/stepper.css",
        "@media screen {",
        "@media all {",
        |reader, site| {
            reader.open(&site.url("figures.html"));
            paper::faults(reader)
        },
        "fig-names-2 is not seen in print",
    ),
    (
        "figures/src/stepper.css",
        "@media screen {",
        "@media all {",
        |reader, site| {
            reader.open(&site.url("figures.html"));
            paper::faults(reader)
        },
        "the PDF has 6 pictures and figures, not 10",
    ),
    // In these two, what screen readers announce stays right.
    (
        "theme/css/hand.css",
        "\ndetails {",
        "\n.sidebar { opacity: 0; }\ndetails {",
        |reader, site| sidebar::faults(reader, site, Screen::DESK),
        "seen at the start: false",
    ),
    (
        "theme/css/hand.css",
        "\ndetails {",
        "\n#mdbook-searchbar { opacity: 0; }\ndetails {",
        |reader, site| search::faults(reader, site, Screen::DESK),
        "the box is not seen",
    ),
];

#[test]
fn a_fault_of_what_moves_is_found() {
    let Some(Tools { mut browser, .. }) = Tools::find() else { return };
    for (file, old, new, look, fault) in CHANGES {
        let repo = small_book();
        repo.edit(&format!("book/{file}"), old, new);
        let site = Site::of(repo.path());
        browser.sit_at(Screen::DESK);
        let found = look(&mut browser, &site).join("\n");
        assert!(found.contains(fault), "planted: {fault}\nfound: {found}");
    }
}

/// The same for the speaker view, which takes another book.
const SPEAKER: &[Change] = &[
    (
        "theme/present.js",
        "step(waits, 'ArrowRight');",
        "",
        present::walk,
        "a step did nothing in [\"A figure\"",
    ),
    (
        "theme/present.js",
        "const PAGE = 0.85;",
        "const PAGE = 9;",
        present::walk,
        "the long section took 1 steps",
    ),
    (
        "theme/present.js",
        "if (!scroll_by(PAGE * main.clientHeight) && current < slides.length - 1) {",
        "{",
        present::walk,
        "px were not seen before",
    ),
    (
        "theme/present.js",
        "return before?.id === 'the-solution-explained';",
        "return false;",
        present::walk,
        "[\"The solution, explained\",0,true]",
    ),
    (
        "theme/present.js",
        "window.open(`${location.pathname}?present=notes`, 'present-notes', 'width=900,height=700');",
        "",
        present::window,
        "n, pressed twice, opens 0 windows of notes",
    ),
    (
        "theme/present.js",
        "'present-notes', 'width",
        "'_blank', 'width",
        present::window,
        "n, pressed twice, opens 2 windows of notes",
    ),
    (
        "theme/present.css",
        "font-size: clamp(20px, min(2.75vw, 3.7vh), 48px);",
        "font-size: 20px;",
        present::walk,
        "the letters have 20 px",
    ),
    (
        "theme/hand.js",
        "if (new URLSearchParams(location.search).has('present')) {",
        "{",
        present::weight,
        "a page that is read asks for http",
    ),
];

#[test]
fn a_fault_of_the_speaker_view_is_found() {
    let Some(Tools { mut browser, .. }) = Tools::find() else { return };
    let repo = present::book_of_slides();
    for (file, old, new, look, fault) in SPEAKER {
        let file = &format!("book/{file}");
        repo.edit(file, old, new);
        let found = look(&mut browser, &Site::of(repo.path())).join("\n");
        assert!(found.contains(fault), "planted: {fault}\nfound: {found}");
        // The next one is planted into the book as it was.
        std::fs::copy(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file),
            repo.path().join(file),
        )
        .unwrap();
    }
}
