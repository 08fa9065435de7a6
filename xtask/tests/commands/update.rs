//! `update`, and what a plain `git pull` does: no file of the reader's is lost.

use std::path::Path;
use std::process::{Command, Output};

use crate::checkout::Checkout;

const PROGRAM: &str = "exercises/ch01-one/src/main.rs";
const STUB: &str = "exercises/ch01-one/stub.rs";
const OWN: &str = "//! Mine.\nfn main() {\n    // hours of work\n}\n";
const NEW: &str = "//! ch01-one: another stub.\nfn main() {\n    // TODO: do more.\n}\n";

fn git(folder: &Path, words: &str) -> Output {
    let mut command = Command::new("git");
    command.args(words.split(' ')).current_dir(folder);
    for (name, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "a"),
        ("GIT_AUTHOR_EMAIL", "a@example.org"),
        ("GIT_COMMITTER_NAME", "a"),
        ("GIT_COMMITTER_EMAIL", "a@example.org"),
    ] {
        command.env(name, value);
    }
    command.output().unwrap()
}

fn done(folder: &Path, words: &str) {
    let output = git(folder, words);
    assert!(output.status.success(), "git {words}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The course, and a reader's clone of it.
fn course(test: &str) -> (Checkout, Checkout) {
    let course = Checkout::new(&format!("{test}-course"));
    course.write(".gitignore", "/.progress\n*.bak\n");
    course.write("README.md", "one\ntwo\nthree\n");
    for words in ["init -q -b main", "add -A", "commit -q -m first"] {
        done(&course.root, words);
    }
    let clone = Checkout::new(&format!("{test}-clone"));
    std::fs::remove_dir_all(&clone.root).unwrap();
    done(
        course.root.parent().unwrap(),
        &format!("clone -q ./{0} {1}", name(&course), name(&clone)),
    );
    (course, clone)
}

fn name(checkout: &Checkout) -> &str {
    checkout.root.file_name().unwrap().to_str().unwrap()
}

/// The course asks for something else in chapter 1.
fn publish(course: &Checkout) {
    course.write(STUB, NEW);
    course.write(PROGRAM, NEW);
    course.write("README.md", "one\n2\nthree\n");
    done(&course.root, "commit -q -a -m second");
}

fn update(clone: &Checkout) -> (i32, String, String) {
    let mut command = clone.xtask("update");
    for (name, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_AUTHOR_NAME", "a"),
        ("GIT_AUTHOR_EMAIL", "a@example.org"),
        ("GIT_COMMITTER_NAME", "a"),
        ("GIT_COMMITTER_EMAIL", "a@example.org"),
    ] {
        command.env(name, value);
    }
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_changed_exercise_stays_and_the_change_is_told() {
    let (course, clone) = course("update-changed");
    clone.write(PROGRAM, OWN);
    assert_eq!(update(&clone).1, "this is the newest course\n");
    publish(&course);
    // A plain pull stops, and loses nothing.
    assert!(!git(&clone.root, "pull -q").status.success());
    assert_eq!(
        (clone.read(PROGRAM).as_str(), clone.read("README.md").as_str()),
        (OWN, "one\ntwo\nthree\n")
    );

    let (code, out, err) = update(&clone);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains(
        "ch01-one: the exercise has changed\n  your file is as it was; what is new: git diff "
    ));
    assert!(
        out.contains(&format!(" -- {STUB}\n")) && out.contains("cargo xtask reset ch1\n"),
        "{out}"
    );
    assert_eq!((clone.read(PROGRAM).as_str(), clone.read(STUB).as_str()), (OWN, NEW));
    assert_eq!(clone.read("README.md"), "one\n2\nthree\n");
    assert!(!clone.root.join(format!("{PROGRAM}.1.bak")).exists(), "nothing is left beside it");
    // The new exercise, with the old work kept.
    assert_eq!(clone.run("reset ch1").0, 0);
    assert_eq!(
        (clone.read(PROGRAM).as_str(), clone.read(&format!("{PROGRAM}.1.bak")).as_str()),
        (NEW, OWN)
    );
}

#[test]
fn a_solved_chapter_says_that_it_was() {
    let (course, clone) = course("update-solved");
    clone.write(PROGRAM, OWN);
    clone.run("check ch1");
    publish(&course);
    assert_eq!(update(&clone).0, 0);
    let list = clone.run("list").1;
    assert!(
        list.lines().next().unwrap().ends_with("was solved; the exercise has changed"),
        "{list}"
    );
}

#[test]
fn an_untouched_exercise_becomes_the_new_one() {
    let (course, clone) = course("update-untouched");
    publish(&course);
    course.write("exercises/ch03-three/stub.rs", NEW);
    course.write("exercises/ch03-three/src/main.rs", NEW);
    done(&course.root, "add -A");
    done(&course.root, "commit -q -m third");
    let (_, out, _) = update(&clone);
    assert!(
        out.ends_with("ch01-one: the exercise has changed\nch03-three: a new chapter\n"),
        "{out}"
    );
    assert_eq!(clone.read(PROGRAM), NEW);
}

#[test]
fn what_was_committed_stays_as_a_whole() {
    let (course, clone) = course("update-committed");
    clone.write(PROGRAM, OWN);
    done(&clone.root, "commit -q -a -m mine");
    // And something newer that is not committed.
    let newer = format!("{OWN}// newer\n");
    clone.write(PROGRAM, &newer);
    publish(&course);
    let (code, out, err) = update(&clone);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert_eq!((clone.read(PROGRAM), clone.read(STUB).as_str()), (newer, NEW));
    let committed = git(&clone.root, &format!("show HEAD:{PROGRAM}"));
    assert_eq!(String::from_utf8_lossy(&committed.stdout), OWN);
    assert_eq!(update(&clone).1, "this is the newest course\n");
}

#[test]
fn what_cannot_be_brought_together_changes_nothing() {
    let (course, clone) = course("update-conflict");
    publish(&course);
    clone.write(PROGRAM, OWN);
    clone.write("README.md", "one\nzwei\nthree\n");
    let (code, _, err) = update(&clone);
    assert!(code == 1 && err.contains("not committed: README.md\nhelp: `git stash`"), "{err}");
    done(&clone.root, "commit -q -m mine README.md");
    let (code, _, err) = update(&clone);
    assert!(
        code == 1 && err.contains("changed the same lines of README.md\nhelp: nothing was"),
        "{err}"
    );
    assert_eq!(
        (clone.read(PROGRAM).as_str(), clone.read("README.md").as_str()),
        (OWN, "one\nzwei\nthree\n")
    );
    let status = git(&clone.root, "status --porcelain");
    assert_eq!(String::from_utf8_lossy(&status.stdout), format!(" M {PROGRAM}\n"));
}

#[test]
fn what_is_no_clone_says_so() {
    let checkout = Checkout::new("update-none");
    let (code, _, err) = update(&checkout);
    assert!(
        code == 2 && err.starts_with("error: this checkout is no clone of a repository\nhelp: "),
        "{err}"
    );
    let (course, clone) = course("update-gone");
    done(&clone.root, "checkout -q -b mine");
    let (code, _, err) = update(&clone);
    assert!(code == 2 && err.contains("follows no branch"), "{err}");
    done(&clone.root, "checkout -q main");
    std::fs::remove_dir_all(&course.root).unwrap();
    let (code, _, err) = update(&clone);
    assert!(
        code == 3 && err.starts_with("error: the newest course could not be fetched: "),
        "{err}"
    );
}
