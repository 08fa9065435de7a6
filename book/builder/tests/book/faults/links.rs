//! Links, fragments, and what a page loads.

use super::{PAGE, START, planted};
use crate::fixture::{Repo, TEMPLATE};

#[test]
fn dead_link() {
    planted(
        START,
        "(ch02-unshare.md#the-call)",
        "(ch03-clone.md)",
        "book/src/start.md:9: dead link: there is no `ch03-clone.md`\n",
    );
}

#[test]
fn dead_link_out_of_the_book() {
    planted(
        START,
        "(ch02-unshare.md#the-call)",
        "(../../README.md)",
        "book/src/start.md:9: dead link: there is no `../../README.md`\n",
    );
}

#[test]
fn dead_fragment_of_another_page() {
    planted(
        START,
        "#the-call",
        "#the-cal",
        "book/src/start.md:9: dead fragment: `ch02-unshare.md` has no `#the-cal`\n",
    );
}

#[test]
fn dead_fragment_of_the_same_page() {
    planted(
        PAGE,
        "(#the-call)",
        "(#cal)",
        "book/src/ch02-unshare.md:82: dead fragment: this page has no `#cal`\n",
    );
}

#[test]
fn dead_fragment_in_raw_html() {
    planted(
        START,
        "errors.html#eperm",
        "errors.html#enosys",
        "book/src/start.md:10: dead fragment: `errors.md` has no `#enosys`\n",
    );
}

#[test]
fn dead_link_in_a_hint() {
    planted(
        "exercises/ch02-unshare/hints.md",
        "title",
        "[title](gone.md)",
        "exercises/ch02-unshare/hints.md:5: dead link: there is no `gone.md`\n",
    );
}

#[test]
fn missing_image() {
    planted(
        PAGE,
        "img/uts.svg",
        "img/pid.svg",
        "book/src/ch02-unshare.md:33: dead link: there is no `img/pid.svg`\n",
    );
}

#[test]
fn script_from_another_host() {
    planted(
        START,
        "Type",
        "<script src=\"https://example.org/a.js\"></script>\n\nType",
        "book/src/start.md:3: `https://example.org/a.js` is loaded from another host\n\
         help: keep a copy in the repository, or link to it\n",
    );
}

#[test]
fn image_from_another_host() {
    planted(
        START,
        "Type",
        "![a](//example.org/a.png) Type",
        "book/src/start.md:3: `//example.org/a.png` is loaded from another host\n\
         help: keep a copy in the repository, or link to it\n",
    );
}

#[test]
fn stylesheet_from_another_host() {
    let repo = Repo::quick();
    let link = "<link rel=\"stylesheet\" href=\"https://example.org/a.css\">\n";
    repo.write("book/theme/index.hbs", &format!("{TEMPLATE}{link}"));
    assert_eq!(
        repo.faults(),
        "book/theme/index.hbs:4: `https://example.org/a.css` is loaded from another host\n\
         help: keep a copy in the repository, or link to it\n"
    );
}

#[test]
fn font_from_another_host() {
    let repo = Repo::quick();
    let font = "@font-face {\n    src: url(\"https://example.org/a.woff2\");\n}\n";
    repo.write("book/theme/fonts/fonts.css", font);
    assert_eq!(repo.faults(), "book/theme/fonts/fonts.css:2: stylesheet loads from another host\n");
}
