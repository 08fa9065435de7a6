//! Listings, sessions, and Markdown inside HTML.

use super::{PAGE, START, planted};
use crate::fixture::Repo;

#[test]
fn rust_listing_from_an_untested_place() {
    let repo = Repo::quick();
    repo.write("book/src/sketch.rs", "fn main() {}\n");
    repo.edit(PAGE, "../../solutions/ch02-unshare/src/main.rs:call", "sketch.rs");
    assert_eq!(
        repo.faults(),
        "book/src/ch02-unshare.md:39: rust listing that no test compiles\n\
         help: include it from solutions/ or exercises/\n"
    );
}

#[test]
fn console_fence_without_a_state() {
    planted(
        PAGE,
        "console,root-lab,in=names\n",
        "console\n",
        "book/src/ch02-unshare.md:9: console fence without a start state\n\
         help: write ```console,root-lab or ```console,plain-user; what cannot be recorded says \
         why: ```console,unrecorded=\"reason\"\n",
    );
}

#[test]
fn one_shell_with_two_states() {
    planted(
        PAGE,
        "console,root-lab,in=names\n",
        "console,plain-user,in=names\n",
        "book/src/ch02-unshare.md:22: shell `names` already has the other start state\n",
    );
}

#[test]
fn fence_inside_html() {
    planted(
        START,
        "Type",
        "<div>\n```text\na\n```\n</div>\n\nType",
        "book/src/start.md:4: a fence inside an HTML block is not a fence\n\
         help: leave a blank line between the HTML tag and the fence\n",
    );
}

#[test]
fn code_inside_html() {
    planted(
        START,
        "Type",
        "<details><summary>What is `id`?</summary>\n\nA command.\n\n</details>\n\nType",
        "book/src/start.md:3: a backtick inside an HTML block is shown as it stands\n\
         help: write <code>…</code>\n",
    );
}

#[test]
fn a_backtick_in_the_first_line_of_a_fence() {
    planted(
        START,
        "Type",
        "```console,unrecorded=\"`id` is typed\"\n$ id\n\nType",
        "book/src/start.md:3: a backtick in the first line of a fence: it is none\n\
         help: write what stands behind the language without backticks\n",
    );
}

#[test]
fn html_that_is_not_closed() {
    planted(
        START,
        "Type",
        "<div>\n\nType",
        "book/src/start.md: unclosed HTML tag `<div>` found in `start.md`\n",
    );
}

#[test]
fn rust_listing_that_is_not_included() {
    planted(
        PAGE,
        "rust,unchecked=\"a sketch, not a program\"",
        "rust",
        "book/src/ch02-unshare.md:58: rust listing that no test compiles\n\
         help: include it: {{#include ../../solutions/chNN-slug/src/main.rs:ANCHOR}}; or say why \
         not: ```rust,unchecked=\"reason\"\n",
    );
}
