//! Figures and their traces.

use super::{PAGE, planted};
use crate::fixture::Repo;

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
         `view=processes`, `view=maps`, `view=owners`, `view=mounts`, `view=network`, \
         `view=cgroups`",
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
         `tasks=1+2`, `paths=/+/tmp`; and `opens=2` for the frame that is seen first",
    );
}

#[test]
fn figure_that_opens_at_no_frame() {
    for (opens, report) in [
        ("0", "`opens=0`: there is no such frame\nhelp: the figure has 6, counted from 1"),
        ("7", "`opens=7`: there is no such frame\nhelp: the figure has 6, counted from 1"),
        ("last", "`opens=last` is no number of a frame"),
    ] {
        planted_in_figure(PAGE, "kinds=uts", &format!("kinds=uts,opens={opens}"), report);
    }
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
         `view=processes`, `view=maps`, `view=owners`, `view=mounts`, `view=network`, \
         `view=cgroups`",
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
    let repo = Repo::quick();
    repo.edit(PAGE, &fence, &inside);
    assert!(repo.faults().contains("a figure stands at the left edge, in no list and no quote"));
}

#[test]
fn two_figures_of_one_name() {
    let repo = Repo::quick();
    let fence = format!("\n```{FIGURE}\n# ch02-unshare otter -- true\ncaption: It.\n```\n");
    let page = repo.path().join(PAGE);
    let text = std::fs::read_to_string(&page).unwrap();
    repo.write(PAGE, &(text + &fence));
    assert!(repo.faults().ends_with(": this page has a figure of that name already\n"));
}
