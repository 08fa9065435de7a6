//! Directives, and the files that a page takes in.

use super::{CALL, PAGE, START, planted};
use crate::fixture::Repo;

#[test]
fn missing_include() {
    planted(
        PAGE,
        CALL,
        "gone.rs:call}}",
        "book/src/ch02-unshare.md:40: included file `solutions/ch02-unshare/src/gone.rs` cannot be \
         read: No such file or directory (os error 2)\n",
    );
}

#[test]
fn unknown_anchor() {
    planted(
        PAGE,
        CALL,
        "main.rs:cal}}",
        "book/src/ch02-unshare.md:40: `solutions/ch02-unshare/src/main.rs`: unknown anchor `cal`\n\
         help: the file has `call`, `name`\n",
    );
}

#[test]
fn unclosed_anchor() {
    planted(
        "solutions/ch02-unshare/src/main.rs",
        "// ANCHOR_END: call",
        "",
        "book/src/ch02-unshare.md:40: `solutions/ch02-unshare/src/main.rs`: \
         anchor `call` is not closed\nhelp: add a comment `ANCHOR_END: call`\n",
    );
}

#[test]
fn empty_range() {
    planted(
        PAGE,
        CALL,
        "main.rs:4:3}}",
        "book/src/ch02-unshare.md:40: `solutions/ch02-unshare/src/main.rs`: \
         empty range 4 to 3\nhelp: the file has 14 lines\n",
    );
}

#[test]
fn range_past_the_end() {
    planted(
        PAGE,
        CALL,
        "main.rs:4:15}}",
        "book/src/ch02-unshare.md:40: `solutions/ch02-unshare/src/main.rs`: \
         line 15 is past the end\nhelp: the file has 14 lines\n",
    );
}

#[test]
fn include_from_outside_of_the_repository() {
    planted(
        START,
        "Type",
        "{{#include /etc/passwd}} Type",
        "book/src/start.md:3: included file `/etc/passwd` is not in the repository\n",
    );
}

#[test]
fn include_that_closes_its_fence() {
    let repo = Repo::quick();
    repo.write("solutions/notes.txt", "one\n```\ntwo\n");
    repo.edit(START, "Type", "```toml\n{{#include ../../solutions/notes.txt}}\n```\n\nType");
    assert_eq!(
        repo.faults(),
        "book/src/start.md:4: `solutions/notes.txt` closes the fence\n\
         help: open and close the fence with one more backtick\n"
    );
}

#[test]
fn left_over_directive_in_a_page() {
    planted(
        START,
        "Type",
        "{{#include start.md:\nType",
        "book/src/start.md:3: left-over directive: it is not closed on its line\n\
         help: close it with `}}`\n",
    );
}

#[test]
fn left_over_directive_in_an_included_text() {
    planted(
        "exercises/ch02-unshare/hints.md",
        "It is named",
        "{{#include x}} It is named",
        "exercises/ch02-unshare/hints.md:5: left-over directive: a text that a page takes in is not \
         expanded again\n",
    );
    let repo = Repo::quick();
    repo.write("solutions/notes.md", "{{#hints}}\n");
    repo.edit(START, "Type", "{{#include ../../solutions/notes.md}} Type");
    assert_eq!(
        repo.faults(),
        "book/src/start.md:3: `solutions/notes.md`: a text that a page takes in has no directives, \
         sessions, listings or figures\n"
    );
}

#[test]
fn left_over_directive_in_the_rendered_page() {
    planted(
        START,
        "Type",
        "&#123;{#include x}} Type",
        "book/src/start.md: left-over directive in the rendered page\n",
    );
}

#[test]
fn unknown_directive() {
    planted(
        START,
        "Type",
        "{{#title A}} Type",
        "book/src/start.md:3: unknown directive `title`\n\
         help: there are {{#include PATH:ANCHOR}}, {{#challenges}}, {{#mistakes}}, {{#hints}}, {{#environments}}, {{#minutes}}, {{#plans}}, {{#prerequisites}} and {{#lessons}}\n",
    );
}

#[test]
fn environments_in_a_sentence() {
    planted(
        START,
        "Type",
        "See {{#environments}} Type",
        "book/src/start.md:3: this directive stands alone on its line, outside of fences\n",
    );
}

#[test]
fn environments_with_an_argument() {
    planted(
        START,
        "Type",
        "{{#environments docker}}\n\nType",
        "book/src/start.md:3: unknown directive `environments`\n\
         help: there are {{#include PATH:ANCHOR}}, {{#challenges}}, {{#mistakes}}, {{#hints}}, {{#environments}}, {{#minutes}}, {{#plans}}, {{#prerequisites}} and {{#lessons}}\n",
    );
}

#[test]
fn mistake_that_sees_no_heading() {
    planted(
        "exercises/ch02-unshare/mistakes.toml",
        "see = \"the-call\"",
        "see = \"calls\"",
        "exercises/ch02-unshare/mistakes.toml:5: the page has no heading `calls`\n\
         help: its headings are a-name-of-your-own, predict, the-call, facts, exercise, \
         when-it-goes-wrong, questions\n",
    );
}

#[test]
fn hints_on_a_page_without_an_exercise() {
    planted(
        START,
        "Type",
        "{{#hints}}\n\nType",
        "book/src/start.md:3: `exercises/start/hints.md` cannot be read: \
         No such file or directory (os error 2)\n",
    );
}
