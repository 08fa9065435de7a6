//! What the rendered pages hold.

use crate::fixture::Repo;
use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;

/// What lies in the folder of the clean book, built once: names, and the text of each page.
static BUILT: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let repo = Repo::clean();
    let entries = fs::read_dir(repo.build()).unwrap().map(|entry| entry.unwrap());
    let name = |entry: &fs::DirEntry| entry.file_name().into_string().unwrap();
    entries
        .map(|entry| (name(&entry), fs::read_to_string(entry.path()).unwrap_or_default()))
        .collect()
});

fn page(name: &str) -> &'static str {
    &BUILT[name]
}

#[test]
fn a_listing_names_its_file_and_has_no_anchor_comment() {
    let page = page("ch02-unshare.html");
    let listing = "<p class=\"listing\"><code>solutions/ch02-unshare/src/main.rs</code></p>\n\n\
        <pre><code class=\"language-rust\">// Only this thread moves, and its children with it.\n\
        unshare(";
    assert!(page.contains(listing));
    assert!(!page.contains("ANCHOR"));
}

#[test]
fn a_console_fence_is_plain_for_the_renderer() {
    let page = page("ch02-unshare.html");
    assert!(page.contains("<code class=\"language-console\"># hostname\n"));
    assert!(!page.contains("root-lab") && !page.contains("unrecorded"));
}

#[test]
fn quoted_directives_stay_as_they_are() {
    let page = page("start.html");
    assert!(page.contains("<code>{{#include PATH:ANCHOR}}</code>"));
    assert!(page.contains("<code class=\"language-text\">{{#mistakes}}\n</code>"));
}

#[test]
fn mistakes_and_hints_are_folded() {
    let page = page("ch02-unshare.html");
    assert_eq!(page.matches("<details class=\"mistake\">").count(), 2);
    assert_eq!(page.matches("<details class=\"hint\">").count(), 2);
    let first = "<summary><code>sethostname</code> before <code>unshare</code></summary>\n\
        <p>The name was set in the <em>old</em> namespace, so everybody sees it.</p>\n\
        <p>Call <code>unshare</code> first.</p>\n\
        <p><a href=\"#the-call\">";
    assert!(page.contains(first));
}

#[test]
fn the_whole_book_is_one_page_too() {
    let page = page("print.html");
    for title in ["Before you start", "A name of your own", "Errors"] {
        assert!(page.contains(&format!(">{title}</a></h1>")), "{title}");
    }
}

#[test]
fn a_figure_is_drawn_from_its_trace() {
    let page = page("ch02-unshare.html");
    let opening = "<figure class=\"steps\" id=\"fig-ch02-unshare-leaves\" \
        aria-labelledby=\"fig-ch02-unshare-leaves-caption\">";
    assert!(page.contains(opening));
    let caption = "<figcaption id=\"fig-ch02-unshare-leaves-caption\">It leaves, with \
        <code>unshare</code>, and <em>then</em> it is renamed.</figcaption>";
    assert!(page.contains(caption));
    assert!(page.contains("<desc id=\"fig-ch02-unshare-leaves-2-desc\">uts A: none of the"));
    assert!(!page.contains("root-lab"));
    assert!(!BUILT.contains_key("traces"), "traces are no part of the site");
}

#[test]
fn the_doctors_environments_are_sections_with_their_names_as_anchors() {
    let repo = Repo::quick();
    repo.edit("book/src/start.md", "Type", "{{#environments}}\n\nType");
    let page = fs::read_to_string(repo.build().join("start.html")).unwrap();
    for environment in harness::doctor::environments() {
        assert!(
            page.contains(&format!("<h3 id=\"{}\">", environment.name)),
            "{}",
            environment.name
        );
    }
}
