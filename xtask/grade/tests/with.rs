//! Private mistakes and steps, laid over the course as a teacher does it.

#[path = "../../../exercises/lab/tests/common/skip.rs"]
#[macro_use]
mod skip;
mod common;

use std::fs;

use common::{CHAPTER, Course, said, solution, stub};
use grade::result::{Outcome, StepOutcome};

/// More than the chapter asks: the host name is also set if it is short.
const STEP: &str = r#"
//! A step that is on no page.

use super::*;

/// A name of a few letters is set as well.
#[step]
fn step6_a_short_name_is_set_too() {
    let name = letters(1..9);
    let mut attempt = Attempt::start(exercise!().arg(&name).witness());
    attempt.report.role(&name, "NAME");
    if let Some(command) = attempt.command() {
        attempt.look("host name of COMMAND", &command, Seen::host_name);
    }
    attempt.release();
    assert_report!(attempt.finish().lines(&["host name of COMMAND"]), @"host name of COMMAND: NAME");
}
"#;

const ROW: &str = r#"
[[mistake]]
name = "the lecture's own example"
when = { "COMMAND uts" = "B", "host name of COMMAND" = "LAB" }
cause = "This is the program of the lecture, which never sets the name."
remedy = "Set it."
"#;

/// Right for all names but short ones.
fn only_long_names() -> String {
    let set = "    sethostname(name).with_context";
    let long = "    if name.len() < 9 {\n        return Command::new(command).args(args).status()\
        .with_context(|| \"execve\");\n    }\n    sethostname(name).with_context";
    assert_eq!(solution().matches(set).count(), 1);
    solution().replace(set, long)
}

/// Sets no name.
fn of_the_lecture() -> String {
    let set = "sethostname(name).with_context(|| format!(\"sethostname({name:?})\"))?;";
    assert_eq!(solution().matches(set).count(), 1);
    solution().replace(set, "let _ = sethostname::<&OsStr>;")
}

fn write(course: &Course, file: &str, text: &str) {
    let file = course.at("private").join(file);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, text).unwrap();
}

#[test]
fn a_private_step_counts_and_a_private_row_names_a_mistake() {
    slow!();
    let course = Course::new(&[
        ("right.rs", &solution()),
        ("long.rs", &only_long_names()),
        ("lecture.rs", &of_the_lecture()),
    ]);
    write(&course, &format!("{CHAPTER}/steps.rs"), STEP);
    write(&course, &format!("{CHAPTER}/mistakes.toml"), ROW);
    write(&course, ".git/config", "an editor's or a version control's");
    let with = course.at("private").display().to_string();

    course.grade("without", &[]);
    let results = course.results("without");
    assert_eq!([&results["right"], &results["long"]].map(|it| it.outcome), [Outcome::Passed; 2]);
    assert_eq!(results["right"].provenance.course.with, "");
    assert_ne!(results["lecture"].steps[1].mistake, "the lecture's own example");

    course.grade("with", &["--with", &with]);
    let results = course.results("with");
    let right = &results["right"];
    assert_eq!((right.outcome, right.steps.len()), (Outcome::Passed, 6));
    assert_eq!(right.points.earned.unwrap().number(), 5.0);
    let long = &results["long"];
    let step = long.steps.iter().find(|step| step.step == 6).unwrap();
    assert_eq!((long.outcome, step.outcome), (Outcome::Failed, StepOutcome::Failed));
    assert_eq!(step.name, "a short name is set too");
    assert_eq!(long.points.earned.unwrap().number(), 4.0);
    assert_eq!(results["lecture"].steps[1].mistake, "the lecture's own example");
    assert!(right.provenance.course.with.starts_with("sha256:"));

    // Nothing is done again, until something private has changed.
    assert!(course.grade("with", &["--with", &with]).contains("3 of them by an earlier run"));
    write(&course, &format!("{CHAPTER}/mistakes.toml"), &ROW.replace("Set it.", "Set the name."));
    let said = course.grade("with", &["--with", &with]);
    assert!(!said.contains("by an earlier run"), "{said}");
    let later = &course.results("with")["right"];
    assert_ne!(later.provenance.course.with, right.provenance.course.with);
    assert_eq!(course.results("with")["lecture"].steps[1].remedy, "Set the name.");
}

#[test]
fn what_is_no_private_part_of_a_course_is_said() {
    let course = Course::new(&[("stub.rs", &stub())]);
    let with = course.at("private").display().to_string();
    let number = STEP.replace("step6", "step2");
    let broken = STEP.replace("letters(1..9)", "letters(\"1..9\")");
    for (file, text, wrong) in [
        ("", "", "could not read"),
        ("ch02-leave/steps.rs", STEP, "is no chapter"),
        ("ch02-unshare/step.rs", STEP, "is not looked at"),
        ("ch02-unshare/mistakes.toml", "[[mistake]]\nname = 'x'", "mistake 1: no table `when`"),
        ("ch02-unshare/mistakes.toml", "[[mistake", "TOML parse error"),
        ("ch02-unshare/steps.rs", &number, "ch02-unshare has two steps 2"),
        ("ch02-unshare/steps.rs", &broken, "private steps of ch02-unshare do not compile"),
        (".hidden", "", "has nothing in it"),
    ] {
        if !file.is_empty() {
            write(&course, file, text);
        }
        let output = course.command("out", &["--with", &with]).output().unwrap();
        let said = said(output, 2);
        assert!(said.contains(wrong) && said.contains("help: "), "{file}: {said}");
        assert_eq!(said.contains("mismatched types"), wrong.contains("compile"), "{said}");
        _ = fs::remove_dir_all(course.at("private"));
    }
    assert!(course.results("out").is_empty());
}
