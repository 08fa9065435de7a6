//! One fault of each kind, planted into the clean book: it is reported, with its place, and alone.

use crate::fixture::Repo;

const PAGE: &str = "book/src/ch02-unshare.md";
const START: &str = "book/src/start.md";
/// mdBook's own template takes as long to parse as all the rest of a build.
const TEMPLATE: &str = "<!DOCTYPE html>\n<title>{{ title }}</title>\n{{{ content }}}\n";

const CALL: &str = "main.rs:call}}";

fn clean() -> Repo {
    let repo = Repo::clean();
    repo.write("book/theme/index.hbs", TEMPLATE);
    repo
}

/// Replaces a text of the clean book and checks the report.
#[track_caller]
fn planted(file: &str, old: &str, new: &str, report: &str) {
    let repo = clean();
    repo.edit(file, old, new);
    assert_eq!(repo.faults(), report);
}

#[test]
fn clean_book_has_none() {
    assert_eq!(Repo::clean().faults(), "");
}

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
    let repo = clean();
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
    let repo = clean();
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
         help: there are {{#include PATH:ANCHOR}}, {{#mistakes}}, {{#hints}} and {{#environments}}\n",
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
         help: there are {{#include PATH:ANCHOR}}, {{#mistakes}}, {{#hints}} and {{#environments}}\n",
    );
}

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
fn page_not_in_the_summary() {
    let repo = clean();
    repo.write("book/src/ch03-clone.md", "# Clone\n");
    assert_eq!(
        repo.faults(),
        "book/src/ch03-clone.md:1: page is not in SUMMARY.md\n\
         help: add `- [Title](ch03-clone.md)` to book/src/SUMMARY.md\n"
    );
}

#[test]
fn summary_names_a_missing_page() {
    let repo = clean();
    repo.edit("book/src/SUMMARY.md", "to come]()", "to come](ch03-clone.md)");
    assert_eq!(repo.faults(), "book/src/SUMMARY.md:8: page `ch03-clone.md` does not exist\n");
    assert!(!repo.path().join("book/src/ch03-clone.md").exists());
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

#[test]
fn rust_listing_from_an_untested_place() {
    let repo = clean();
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
fn mistake_that_sees_no_heading() {
    planted(
        "exercises/ch02-unshare/mistakes.toml",
        "see = \"the-call\"",
        "see = \"calls\"",
        "exercises/ch02-unshare/mistakes.toml:5: `see`: the page has no heading `calls`\n\
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

const TRACE: &str = "book/traces/ch02-unshare-leaves.jsonl";
const FIGURE: &str = "figure,root-lab,name=leaves,view=membership,kinds=uts";

/// Replaces a text and checks what is reported for the figure.
#[track_caller]
fn planted_in_figure(file: &str, old: &str, new: &str, report: &str) {
    planted(file, old, new, &format!("book/src/ch02-unshare.md:84: {report}\n"));
}

#[test]
fn figure_of_an_unknown_view() {
    planted_in_figure(
        PAGE,
        "view=membership",
        "view=members",
        "unknown view `members`\nhelp: there are `view=membership`, `view=pointers`, \
         `view=processes`, `view=maps`, `view=owners`, `view=mounts`, `view=network`",
    );
}

#[test]
fn figure_of_an_unknown_kind() {
    planted_in_figure(
        PAGE,
        "kinds=uts",
        "kinds=uts+name",
        "unknown kind `name`\nhelp: there are user, mnt, pid, net, uts, ipc, cgroup, time, with `+` \
         between them, and `all`",
    );
}

#[test]
fn figure_with_an_unknown_attribute() {
    planted_in_figure(
        PAGE,
        "kinds=uts",
        "kind=uts",
        "unknown figure attribute `kind`\nhelp: there are `root-lab`, `plain-user`, `name=NAME`, \
         `view=VIEW`, `needs=TOOL`, and to show less: `kinds=uts+ipc`, `calls=unshare+clone`, \
         `tasks=1+2`, `paths=/+/tmp`",
    );
}

#[test]
fn figure_without_what_it_needs() {
    for (old, new, report) in [
        (
            "root-lab,name=leaves,",
            "name=leaves,",
            "a start state\nhelp: write ```figure,root-lab,… or ```figure,plain-user,…",
        ),
        ("name=leaves,", "", "a name\nhelp: give it one: `name=leaves`"),
        (
            "view=membership,",
            "",
            "a view\nhelp: there are `view=membership`, `view=pointers`, \
         `view=processes`, `view=maps`, `view=owners`, `view=mounts`, `view=network`",
        ),
        (
            "membership,kinds=uts",
            "mounts",
            "paths\nhelp: mounts differ from machine to machine: \
         say which you mean, `paths=/+/tmp`",
        ),
    ] {
        let new = FIGURE.replacen(old, new, 1);
        planted_in_figure(PAGE, FIGURE, &new, &format!("figure without {report}"));
    }
}

#[test]
fn figure_without_a_caption() {
    planted_in_figure(
        PAGE,
        "caption: It leaves, with `unshare`,\nand *then* it is renamed.\n",
        "",
        "figure without a caption\nhelp: say below the command what there is to see: `caption: …`",
    );
}

#[test]
fn figure_without_a_command() {
    let what =
        "figure without a command\nhelp: a line that begins with `# ` is run, and its run is drawn";
    planted_in_figure(PAGE, "# ch02-unshare otter -- true\n", "", what);
    planted_in_figure(PAGE, "# ch02-unshare otter -- true", "ch02-unshare otter -- true", what);
}

#[test]
fn figure_whose_trace_is_of_another_command() {
    planted_in_figure(
        PAGE,
        "# ch02-unshare otter -- true",
        "# ch02-unshare badger -- true",
        "`book/traces/ch02-unshare-leaves.jsonl`: it is the trace of `ch02-unshare otter -- true`\n\
         help: `cargo run -p book -- record` records the command that the page has now",
    );
}

#[test]
fn figure_without_a_trace() {
    planted_in_figure(
        PAGE,
        "name=leaves",
        "name=stays",
        "`book/traces/ch02-unshare-stays.jsonl` cannot be read: No such file or directory \
         (os error 2)\nhelp: `cargo run -p book -- record` writes it",
    );
}

#[test]
fn figure_of_a_trace_that_is_cut_off() {
    planted_in_figure(
        TRACE,
        "{\"dropped\":0,\"end\":true}\n",
        "",
        "`book/traces/ch02-unshare-leaves.jsonl`: the trace is cut off: its last line is missing\n\
         help: `cargo run -p book -- record` writes it",
    );
}

#[test]
fn figure_of_a_trace_of_another_version() {
    planted_in_figure(
        TRACE,
        "\"version\":1",
        "\"version\":9",
        "`book/traces/ch02-unshare-leaves.jsonl`: it has version 9 of the schema, this program \
         reads 1\nhelp: `cargo run -p book -- record` writes it",
    );
}

#[test]
fn figure_of_a_trace_that_is_none() {
    planted_in_figure(
        TRACE,
        "namespaces-by-hand/story",
        "a/tale",
        "`book/traces/ch02-unshare-leaves.jsonl`: its first line does not name the schema \
         `namespaces-by-hand/story`\nhelp: `cargo run -p book -- record` writes it",
    );
}

#[test]
fn figure_that_shows_nothing() {
    let help = "\nhelp: draw another view, or leave out fewer kinds, tasks and paths; \
                `cargo xtask trace` shows what there is";
    for (old, new, view) in [
        ("view=membership,kinds=uts", "view=membership,kinds=uts,tasks=77", "membership"),
        ("view=membership,kinds=uts", "view=network", "network"),
    ] {
        let what = format!("view `{view}` has nothing to show of this trace{help}");
        planted_in_figure(PAGE, old, new, &what);
    }
}

#[test]
fn figure_in_a_list() {
    let fence = format!("```{FIGURE}\n# ch02-unshare otter -- true\n");
    let inside = format!(
        "- one\n\n  ```{FIGURE}\n  # ch02-unshare otter -- true\n  caption: a\n  ```\n\n```text\n"
    );
    let repo = clean();
    repo.edit(PAGE, &fence, &inside);
    assert!(repo.faults().contains("a figure stands at the left edge, in no list and no quote"));
}

#[test]
fn two_figures_of_one_name() {
    let repo = clean();
    let fence = format!("\n```{FIGURE}\n# ch02-unshare otter -- true\ncaption: It.\n```\n");
    let page = repo.path().join(PAGE);
    let text = std::fs::read_to_string(&page).unwrap();
    repo.write(PAGE, &(text + &fence));
    assert!(repo.faults().ends_with(": this page has a figure of that name already\n"));
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
    let repo = clean();
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
    let repo = Repo::clean();
    let font = "@font-face {\n    src: url(\"https://example.org/a.woff2\");\n}\n";
    repo.write("book/theme/fonts/fonts.css", font);
    assert_eq!(repo.faults(), "book/theme/fonts/fonts.css:2: stylesheet loads from another host\n");
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
fn all_faults_are_reported_at_once() {
    let repo = clean();
    repo.edit(START, "#the-call", "#gone");
    repo.edit(PAGE, CALL, "main.rs:gone}}");
    repo.write("book/src/ch03-clone.md", "# Clone\n");
    assert_eq!(repo.faults().lines().filter(|line| !line.starts_with("help:")).count(), 3);
}
