//! The book in a browser: every page on four screens, and what moves in it, under a reader's hands.

#[macro_use]
#[path = "../../../../exercises/lab/tests/common/skip.rs"]
mod skip;

mod chromium;
mod faults;
mod firefox;
#[path = "../book/fixture.rs"]
#[allow(dead_code, reason = "the builder's own tests use the rest of it")]
mod fixture;
mod image;
mod live;
mod page;
mod paper;
mod planted;
mod present;
mod reader;
mod search;
mod sidebar;
mod site;
mod stepper;
mod tools;
mod weight;

use fixture::Repo;
use reader::Screen;
use site::Site;
use std::path::Path;
use std::sync::LazyLock;
use tools::Tools;

const SCREENS: [Screen; 2] = [Screen::DESK, Screen::PHONE];

/// This repository's book.
static BOOK: LazyLock<Site> =
    LazyLock::new(|| Site::of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")));

/// The builder's small book, with a page of figures.
fn small_book() -> Repo {
    let repo = Repo::clean();
    repo.write("book/src/figures.md", include_str!("figures.md"));
    repo.edit("book/src/SUMMARY.md", "[Errors]", "[Figures](figures.md)\n\n[Errors]");
    repo
}

fn none(faults: Vec<String>) {
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// All pages, with what can be folded out folded out, on both screens. In the dark, on the wide screen, those with
/// figures and every third of the others: the colours stand in stylesheets that all pages have in common.
fn pages(dark: bool) {
    let Some(Tools { mut browser, axe }) = Tools::find() else { return };
    // Where things stand does not depend on the colours.
    let screens = if dark { &SCREENS[..1] } else { &SCREENS };
    let screens = screens.iter().map(|screen| Screen { dark, ..*screen });
    let has_figure = |page: &str| {
        std::fs::read_to_string(BOOK.built().join(page))
            .unwrap()
            .contains("<figure class=\"steps\"")
    };
    let all = BOOK
        .pages()
        .into_iter()
        .enumerate()
        .filter(|(number, page)| !dark || number % 3 == 0 || has_figure(page))
        .flat_map(|(_, page)| screens.clone().map(move |screen| (page.clone(), screen)));
    none(
        all.flat_map(|(page, screen)| page::faults(&mut browser, &BOOK, &page, screen, &axe))
            .collect(),
    );
}

#[test]
fn every_page_is_good_in_light() {
    pages(false);
}

#[test]
fn every_page_is_good_in_navy() {
    pages(true);
}

/// The whole book on A4.
#[test]
fn the_book_is_printed_on_less_than_200_pages() {
    let Some(Tools { browser, .. }) = Tools::find() else { return };
    drop(browser);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("book.pdf");
    book::pdf::write(BOOK.built(), None, &file).unwrap();
    let pdf = std::fs::read(&file).unwrap();
    let count = |mark: &[u8]| pdf.windows(mark.len()).filter(|bytes| *bytes == mark).count();
    let pages = count(b"/Type /Page\n");
    assert!((100..200).contains(&pages), "{pages} pages");
    // Its contents, for the reader's sidebar.
    assert!(count(b"/Type /Outlines") == 1 || count(b"/Outlines ") == 1, "no outline");
}

/// What is printed apart is not printed twice, and each volume says where the other is.
#[test]
fn the_part_for_teachers_is_printed_apart() {
    slow!();
    let read = |file: &str| std::fs::read_to_string(BOOK.built().join(file)).unwrap();
    let (book, teaching) = (read("print.html"), read("print-teaching.html"));
    let title = |page: &str, id: &str| page.matches(&format!("<h1 id=\"{id}\">")).count();
    for id in ["for-teachers", "plans-for-a-lesson", "chapter-by-chapter", "handout", "card"] {
        assert_eq!((title(&book, id), title(&teaching, id)), (0, 1), "{id}");
    }
    for id in ["before-you-start", "glossary"] {
        assert_eq!((title(&book, id), title(&teaching, id)), (1, 0), "{id}");
    }
    assert!(book.contains("cargo xtask book --pdf FILE --part teaching"));
    for page in [&book, &teaching] {
        let links = page.split("<a href=\"#").skip(1).filter_map(|link| link.split('"').next());
        let dead: Vec<&str> = links.filter(|id| !page.contains(&format!(" id=\"{id}\""))).collect();
        assert!(dead.is_empty(), "{dead:?}");
    }
    let Some(Tools { browser, .. }) = Tools::find() else { return };
    drop(browser);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("teaching.pdf");
    book::pdf::write(BOOK.built(), Some("teaching"), &file).unwrap();
    assert!(file.is_file());
    let wrong = book::pdf::write(BOOK.built(), Some("learning"), &file).unwrap_err();
    assert!(wrong.to_string().contains("has no part `learning`"), "{wrong}");
}

/// What is handed out has the sheets that it is meant to have.
#[test]
fn the_handout_and_the_card_are_a_sheet_each() {
    let Some(Tools { mut browser, .. }) = Tools::find() else { return };
    browser.sit_at(Screen::DESK);
    for page in ["handout.html", "card.html"] {
        browser.open(&BOOK.url(page));
        assert_eq!(paper::sheets(&mut browser), 1, "{page}");
    }
}

/// The head of a page, the map of the site, and the files beside the pages.
#[test]
fn a_published_book_says_where_it_stands() {
    let Some(Tools { browser, .. }) = Tools::find() else { return };
    drop(browser);
    let repo = small_book();
    repo.write("book/src/index.md", "# A small book\n\nIts front.\n");
    repo.edit("book/src/SUMMARY.md", "# Summary\n", "# Summary\n\n[Front](index.md)\n");
    let built = repo.build();
    let address = "https://example.org/book/";
    let wrong = book::publish::write(repo.path(), &built, "https://example.org/book").unwrap_err();
    assert!(wrong.to_string().contains("with a slash at its end"), "{wrong}");
    book::publish::write(repo.path(), &built, address).unwrap();

    let read = |file: &str| std::fs::read_to_string(built.join(file)).unwrap();
    let page = read("figures.html");
    for line in [
        "<link rel=\"canonical\" href=\"https://example.org/book/figures.html\">",
        "<meta property=\"og:title\" content=\"Figures\">",
        "<meta property=\"og:image\" content=\"https://example.org/book/card.png\">",
    ] {
        assert_eq!(page.matches(line).count(), 1, "{line}");
    }
    assert!(read("index.html").contains("rel=\"canonical\" href=\"https://example.org/book/\">"));
    let map = read("sitemap.xml");
    for url in [address, "https://example.org/book/figures.html"] {
        assert_eq!(map.matches(&format!("<loc>{url}</loc>")).count(), 1, "{map}");
    }
    assert!(!map.contains("print.html") && !map.contains("404.html"), "{map}");
    // The size of a PNG stands in its first chunk.
    let card = std::fs::read(built.join("card.png")).unwrap();
    let number = |at: usize| u32::from_be_bytes(card[at..at + 4].try_into().unwrap());
    assert_eq!((number(16), number(20)), (1200, 630));
    for file in ["linux-namespaces-by-hand.pdf", "linux-namespaces-by-hand.epub"] {
        assert!(built.join(file).is_file(), "{file}");
    }
}

#[test]
fn the_sidebar_and_the_search_work() {
    let Some(Tools { mut browser, .. }) = Tools::find() else { return };
    let mut faults = Vec::new();
    for screen in SCREENS {
        faults.extend(sidebar::faults(&mut browser, &BOOK, screen));
        faults.extend(search::faults(&mut browser, &BOOK, screen));
    }
    none(faults);
}

/// The pages after the chapters are part of the book: the search finds a word of one, and the links
/// of that page lead back and on.
#[test]
fn a_page_without_an_exercise_is_found_and_has_neighbours() {
    let Some(Tools { mut browser, .. }) = Tools::find() else { return };
    browser.sit_at(Screen::DESK);
    browser.open(&BOOK.url("index.html"));
    browser.press("/");
    browser.wait_for("window.search?.hasFocus() === true");
    browser.write("Plan 9 Pike");
    let found = "#mdbook-searchresults a[href^='history.html']";
    browser.wait_for(&format!("document.querySelector(\"{found}\") !== null"));
    browser.click(found);
    browser.wait_for("location.pathname === '/history.html'");
    for (way, page) in [("next", "glossary"), ("previous", "stale-man-pages")] {
        let link = format!("document.querySelector('.nav-wrapper .{way}')?.getAttribute('href')");
        browser.wait_for(&format!("{link} === '{page}.html'"));
    }
}

#[test]
fn a_page_is_shown_to_a_room() {
    let Some(Tools { mut browser, axe }) = Tools::find() else { return };
    let repo = present::book_of_slides();
    let site = Site::of(repo.path());
    none(present::faults(&mut browser, &site, &axe));
    none(present::weight(&mut browser, &site));
}

#[test]
fn a_figure_is_stepped_through() {
    let Some(Tools { mut browser, .. }) = Tools::find() else { return };
    let repo = small_book();
    let site = Site::of(repo.path());
    let mut faults = Vec::new();
    for screen in SCREENS {
        faults.extend(stepper::faults(&mut browser, &site, screen, stepper::Test::everything));
    }
    none(faults);
}
