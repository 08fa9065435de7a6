//! The commands that read and write the reader's files.

use harness::verdict::Outcome;

use crate::checkout::{Checkout, verdict};

const PROGRAM: &str = "exercises/ch01-one/src/main.rs";

/// A table of one mistake.
const MISTAKE: &str = "[[mistake]]\nname = \"it is done twice\"\nedit = [{ find = \"do_it();\\n\", \
    replace = \"do_it();\\n    do_it();\\n\" }]\nwhen = { \"COMMAND\" = \"x\" }\ncause = \"c\"\n\
    remedy = \"r\"\nsee = \"s\"\n";

#[test]
fn reset_loses_nothing() {
    let checkout = Checkout::new("reset");
    let stub = checkout.read("exercises/ch01-one/stub.rs");
    let (code, out, _) = checkout.run("reset ch1");
    assert_eq!((code, out.as_str()), (0, "ch01-one is as it was handed out; nothing to do\n"));
    for (number, text) in [(1, "fn main() {}\n"), (2, "not even Rust")] {
        checkout.write(PROGRAM, text);
        let (code, out, _) = checkout.run("reset one");
        assert_eq!(code, 0);
        assert!(out.contains(&format!("your file is kept as {PROGRAM}.{number}.bak\n")), "{out}");
        assert_eq!(checkout.read(&format!("{PROGRAM}.{number}.bak")), text);
        assert_eq!(checkout.read(PROGRAM), stub);
    }
    assert_eq!(checkout.read(&format!("{PROGRAM}.1.bak")), "fn main() {}\n");
}

#[test]
fn the_solution_is_not_shown_unasked() {
    let checkout = Checkout::new("diff");
    let (code, out, err) = checkout.run("diff ch1");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("help: add `--yes`"), "{err}");
    let shown = "--- exercises/ch01-one/src/main.rs\n+++ solutions/ch01-one/src/main.rs\n\
                 @@ -2,3 +2,3 @@\n fn main() {\n-    // TODO: do it. Man page: unshare(2).\n\
                 +    do_it();\n }\n";
    assert_eq!(checkout.run("diff ch1 --yes").1, shown);
    checkout.run("check ch1");
    // Once solved, it is no secret.
    assert_eq!(checkout.run("diff ch1").1, shown);
    checkout.write(PROGRAM, "fn main() {\n    do_it();\n}\n");
    assert_eq!(checkout.run("diff --yes ch1").1, "they are the same\n");
}

#[test]
fn hints_come_one_by_one() {
    let checkout = Checkout::new("hint");
    let first = "hint 1 of 3: One?\n\nfirst\n\n2 more: `cargo xtask hint ch1`\n";
    let last =
        "hint 3 of 3: Three?\n\nthird\n\nthe last; `cargo xtask diff ch1` shows the solution\n";
    assert_eq!(checkout.run("hint ch1").1, first);
    assert!(checkout.run("hint ch1").1.starts_with("hint 2 of 3"));
    assert_eq!(checkout.run("hint ch1").1, last);
    assert_eq!(checkout.run("hint ch1").1, last);
    assert_eq!(checkout.run("hint ch1 --again").1, first);
    assert!(checkout.run("hint ch1").1.starts_with("hint 2 of 3"));
    assert_eq!(checkout.run("hint --all ch1").1.matches("hint ").count(), 3);
    checkout.write("exercises/ch01-one/hints.md", "");
    assert_eq!(checkout.run("hint ch1").0, 1);
}

#[test]
fn the_list_knows_what_was_checked() {
    let checkout = Checkout::new("list");
    let state = || checkout.run("list").1.lines().next().unwrap()[23..].to_owned();
    assert_eq!(state(), "not started");
    checkout.write(PROGRAM, "fn main() { 1; }\n");
    assert_eq!(state(), "started");
    checkout.run("check ch1");
    assert_eq!(state(), "solved");
    checkout.write(PROGRAM, "fn main() { 2; }\n");
    assert_eq!(state(), "solved, and changed since");
    checkout.verdict("ch01-one", "step2_it_leaves", &verdict(Outcome::Failed));
    checkout.run("check ch1");
    assert_eq!(state(), "failed at step 2");
    checkout.write(".progress", "ch01-one \u{0} garbled\nch02-two 12 solved");
    assert_eq!(state(), "started");
    // The exercise has been replaced by another one since.
    checkout.verdict("ch01-one", "step2_it_leaves", &verdict(Outcome::Passed));
    checkout.run("check ch1");
    assert_eq!(state(), "solved");
    checkout.write("exercises/ch01-one/stub.rs", "fn main() {\n    // TODO: more.\n}\n");
    assert_eq!(state(), "was solved; the exercise has changed");
    assert!(checkout.run("check").1.starts_with("ch01-one\n"));
    assert_eq!(state(), "solved");
    checkout.write(".progress", "ch01-one 12 solved 1\n");
    assert_eq!(state(), "was solved; the exercise has changed");
}

#[test]
fn a_verdict_counts_where_it_cannot_be_kept() {
    let checkout = Checkout::new("unwritable");
    // A folder in its place stops root, too.
    std::fs::create_dir(checkout.root.join(".progress.new")).unwrap();
    let (code, out, err) = checkout.run("check --all");
    assert_eq!(code, 0);
    assert!(out.ends_with("\nok      ch01-one\nok      ch02-two\n"), "{out}");
    assert_eq!(err.matches("note: progress is not kept").count(), 1, "{err}");
}

/// As Git writes them with core.autocrlf, where no attribute forbids it, or an archive from Windows.
#[test]
fn line_ends_of_windows_change_nothing() {
    let checkout = Checkout::new("crlf");
    checkout.write("exercises/ch01-one/mistakes.toml", MISTAKE);
    for file in ["src/main.rs", "stub.rs", "hints.md", "mistakes.toml"] {
        let file = format!("exercises/ch01-one/{file}");
        checkout.write(&file, &checkout.read(&file).replace('\n', "\r\n"));
    }
    let solution = "solutions/ch01-one/src/main.rs";
    checkout.write(solution, &checkout.read(solution).replace('\n', "\r\n"));

    let state = || checkout.run("list").1.lines().next().unwrap()[23..].to_owned();
    assert_eq!(state(), "not started");
    assert!(checkout.run("reset ch1").1.contains("nothing to do"));
    assert!(checkout.run("hint ch1").1.ends_with("2 more: `cargo xtask hint ch1`\n"));
    let (code, _, err) = checkout.run("break ch1 1");
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(checkout.read(PROGRAM).contains("    do_it();\n    do_it();\n"));
    assert!(checkout.run("diff ch1 --yes").1.contains("\n-    do_it();\n"));
    assert_eq!(checkout.run("reset ch1").0, 0);
    assert_eq!(state(), "not started");
    assert_eq!(checkout.run("check ch1").0, 0);
}

#[test]
fn an_unsolved_program_is_replaced_only_with_consent() {
    let checkout = Checkout::new("break");
    checkout.write("exercises/ch01-one/mistakes.toml", MISTAKE);
    checkout.write(PROGRAM, "fn main() { /* half done */ }\n");
    let (code, out, err) = checkout.run("break ch1");
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(
        err.contains("ch01-one is not solved yet") && err.contains("help: add `--yes`"),
        "{err}"
    );
    assert_eq!(checkout.read(PROGRAM), "fn main() { /* half done */ }\n");
    let (code, out, _) = checkout.run("break ch1 --yes");
    assert_eq!(code, 0);
    assert!(out.contains(&format!("your own file back: cp {PROGRAM}.1.bak {PROGRAM}\n")), "{out}");
    assert_eq!(checkout.read(&format!("{PROGRAM}.1.bak")), "fn main() { /* half done */ }\n");
    // A program that it has made itself is not asked about.
    assert_eq!(checkout.run("break ch1").0, 0);
    // One that was repaired is kept, but it is not the reader's own.
    checkout.write(PROGRAM, "fn main() { /* repaired */ }\n");
    let (_, out, _) = checkout.run("break ch1 --yes");
    assert!(out.contains(&format!("your own file back: cp {PROGRAM}.1.bak {PROGRAM}\n")), "{out}");
    assert!(checkout.read(&format!("{PROGRAM}.2.bak")).contains("repaired"));
    // Once it is back, another one counts from there.
    checkout.write(PROGRAM, "fn main() { /* half done */ }\n");
    let (_, out, _) = checkout.run("break ch1 --yes");
    assert!(out.contains(&format!("your own file back: cp {PROGRAM}.3.bak {PROGRAM}\n")), "{out}");
}

#[test]
fn the_check_of_a_broken_program_waits_for_a_guess() {
    let checkout = Checkout::new("guess");
    checkout.write("exercises/ch01-one/mistakes.toml", MISTAKE);
    checkout.verdict("ch01-one", "step2_it_leaves", &verdict(Outcome::Failed));
    assert_eq!(checkout.run("break ch1").0, 0);
    let (code, out, err) = checkout.run("check ch1");
    assert_eq!((code, out.as_str()), (2, "ch01-one\n"));
    assert!(err.contains("say first which step will fail, and why"), "{err}");
    for (words, why) in [
        ("break ch1 --guess 2", "a guess has a reason, too"),
        ("break ch1 --guess second it is done twice", "`second` is no number of a step"),
    ] {
        let (code, _, err) = checkout.run(words);
        assert_eq!(code, 2);
        assert!(err.contains(why), "{err}");
    }
    let (code, out, _) = checkout.run("break ch1 --guess 2 it is done twice");
    assert_eq!(code, 1);
    assert!(
        out.starts_with("ch01-one\nyou say: step 2 fails, because it is done twice\n"),
        "{out}"
    );
    assert!(out.contains("FAIL    step 2: it leaves"), "{out}");
    assert!(
        out.ends_with("\nyou said step 2, and it is; is the reason the one that you gave?\n"),
        "{out}"
    );
    let (_, out, _) = checkout.run("break ch1 --guess 3 a status is lost");
    assert!(out.ends_with("\nyou said step 3, and it is step 2\n"), "{out}");
    // Once is enough for this program, and a repaired one is the reader's own.
    assert!(checkout.run("check ch1").1.contains("FAIL"));
    checkout.write(PROGRAM, "fn main() {\n    do_it();\n}\n");
    assert!(checkout.run("check ch1").1.contains("FAIL"));
    // After the repair the reader is told where the file is that was replaced.
    checkout.verdict("ch01-one", "step2_it_leaves", &verdict(Outcome::Passed));
    let out = checkout.run("check ch1").1;
    assert!(out.ends_with(&format!("your own file back: cp {PROGRAM}.1.bak {PROGRAM}\n")), "{out}");
    checkout.verdict("ch01-one", "step2_it_leaves", &verdict(Outcome::Failed));
    // A machine is not asked.
    assert_eq!(checkout.run("break ch1 --yes").0, 0);
    assert_eq!(checkout.run("check ch1 --json").0, 1);
}

/// A copy of the course from `cargo xtask pack`, which has no solutions.
#[test]
fn a_workshops_copy_says_what_it_lacks() {
    let checkout = Checkout::new("workshop");
    std::fs::remove_dir_all(checkout.root.join("solutions")).unwrap();
    checkout.write("exercises/ch01-one/mistakes.toml", MISTAKE);
    checkout.write("pack.toml", "edition = \"2026-11-30-1a2b3c4\"\n");
    for (words, has) in [
        ("diff ch1 --yes", "no solutions"),
        ("break ch1 1 --yes", "no finished programs, in which a mistake could be planted"),
        ("verify", "nothing for `verify`"),
        ("grade x --out y", "nothing for `grade`"),
        ("pack", "nothing for `pack`"),
        ("book --pdf x.pdf", "no PDF"),
    ] {
        let (code, out, err) = checkout.run(words);
        let error = format!(
            "error: this copy of the course is a workshop's, and has {has}\nhelp: work in a clone"
        );
        assert_eq!((code, out.as_str()), (1, ""), "{words}: {err}");
        assert!(err.starts_with(&error), "{words}: {err}");
    }
    let (code, _, err) = checkout.run("room --port 0");
    assert!(
        code == 1
            && err.contains("has nothing for `room`\nhelp: the teacher opens the room, in a clone"),
        "{err}"
    );
    // A reader does not ask for what is for authors, so its usage names none of it.
    let (code, out, _) = checkout.run("help");
    assert!(code == 0 && out.contains("  check ") && !out.contains("verify"), "{out}");
    let (_, out, _) = checkout.run("hint ch1 --all");
    assert!(out.ends_with("third\n\nthe last\n"), "{out}");

    checkout.write(PROGRAM, "fn main() {}\n");
    let (code, out, err) = checkout.run("check ch1");
    assert_eq!((code, out.contains("\nsolved\n")), (0, true), "{out}{err}");

    checkout.write("book/book/index.html", "<p>A page.</p>");
    assert_eq!(checkout.run("book").1, "the book is in this copy: book/book/index.html\n");
    assert_eq!(checkout.run("book --port 4000").0, 2);
    checkout.write("book/book/linux-namespaces-by-hand.epub", "a book");
    let copy = checkout.root.join("copy.epub");
    let (code, ..) = checkout.run(&format!("book --epub {}", copy.display()));
    assert_eq!((code, checkout.read("copy.epub").as_str()), (0, "a book"));
}
