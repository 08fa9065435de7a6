//! Variants, graded as a teacher does it: each student's own passes, and neither the chapter's solution nor another
//! student's does. A program with a fault fails, whichever fault it is, and passes when it is repaired.

#[path = "../../../exercises/lab/tests/common/skip.rs"]
#[macro_use]
mod skip;
mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use assert_cmd::cargo::CommandCargoExt as _;
use common::said;
use grade::result::{Graded, Outcome};
use grade::variant::{self, Task};
use tempfile::TempDir;
use xtask::shared::chapter::Chapter;

/// Submissions with the programs of some chapters, and a table of who has which variant.
struct Homework {
    folder: TempDir,
    students: BTreeMap<String, String>,
}

impl Homework {
    fn new() -> Homework {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        Homework { folder, students: BTreeMap::new() }
    }

    fn hand_in(&mut self, key: &str, seed: &str, chapter: &Chapter, program: &str) {
        let place = format!("in/{key}/exercises/{}/src/main.rs", chapter.name);
        let file = self.folder.path().join(place);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, program).unwrap();
        self.students.insert(key.to_owned(), seed.to_owned());
    }

    fn command(&self, chapters: &[Chapter], options: &[&str]) -> Command {
        let at = |name: &str| self.folder.path().join(name);
        let rows = self.students.iter().map(|(key, seed)| format!("{key:?} = {seed:?}\n"));
        fs::write(at("variants.toml"), rows.collect::<String>()).unwrap();
        let names: Vec<_> = chapters.iter().map(|chapter| chapter.name.as_str()).collect();
        let mut grade = Command::cargo_bin("grade").unwrap();
        grade.arg(at("in")).arg("--out").arg(at("out")).args(["--chapters", &names.join(",")]);
        grade.arg("--variants").arg(at("variants.toml")).args(options);
        grade
    }

    /// Grades, and returns the outcomes by `KEY CHAPTER`.
    fn grade(&self, chapters: &[Chapter], options: &[&str]) -> BTreeMap<String, Graded> {
        said(self.command(chapters, options).output().unwrap(), 0);
        results(&self.folder.path().join("out"))
    }
}

/// By `KEY CHAPTER`.
fn results(out: &Path) -> BTreeMap<String, Graded> {
    let graded = common::graded(out).into_iter();
    graded.map(|graded| (format!("{} {}", graded.key, graded.chapter), graded)).collect()
}

/// What a graded program is, for a message.
fn in_words(graded: &Graded) -> String {
    let failed = graded.steps.iter().map(|step| {
        format!("{} {}: saw\n{}\nwanted\n{}", step.step, step.outcome.word(), step.saw, step.wanted)
    });
    format!("{:?}\n{}", graded.trouble, failed.collect::<Vec<_>>().join("\n"))
}

/// Of each chapter, these students' own solutions pass. That of the chapter does not, nor does the next student's.
fn own_passes_and_no_other(chapters: &[Chapter], seeds: &[&str]) {
    let mut homework = Homework::new();
    for chapter in chapters {
        let plain = fs::read_to_string(chapter.solution().join("src/main.rs")).unwrap();
        for (place, seed) in seeds.iter().enumerate() {
            let own = variant::draw(chapter, seed, Task::Exercise).unwrap();
            let next = variant::draw(chapter, seeds[(place + 1) % seeds.len()], Task::Exercise);
            let next = next.unwrap();
            assert_ne!(own.drawn.variant, next.drawn.variant, "{} {seed}", chapter.name);
            homework.hand_in(&format!("own-{seed}"), seed, chapter, &own.solution);
            homework.hand_in(&format!("stub-{seed}"), seed, chapter, &own.program);
            homework.hand_in(&format!("next-{seed}"), seed, chapter, &next.solution);
            homework.hand_in(&format!("plain-{seed}"), seed, chapter, &plain);
        }
    }
    let results = homework.grade(chapters, &[]);
    assert_eq!(results.len(), chapters.len() * seeds.len() * 4);
    for (name, graded) in &results {
        let wanted = if name.starts_with("own-") { Outcome::Passed } else { Outcome::Failed };
        assert_eq!(graded.outcome, wanted, "{name}: {}", in_words(graded));
        // No row of a chapter's table is about a variant.
        let mistakes = graded.steps.iter().map(|step| step.mistake.as_str());
        let table = fs::read_to_string(
            Chapter { name: graded.chapter.clone() }.exercise().join("mistakes.toml"),
        );
        let table = table.unwrap();
        for mistake in mistakes.filter(|mistake| !mistake.is_empty()) {
            assert!(!table.contains(&format!("name = {mistake:?}")), "{name}: {mistake}");
        }
        assert!(graded.provenance.course.variants.starts_with("sha256:"));
    }
}

/// Each fault of a chapter fails in the variant that a seed has for it, and repaired it passes.
fn each_fault_fails(chapters: &[Chapter], seeds: &[&str]) {
    let mut homework = Homework::new();
    let mut names = BTreeMap::new();
    for chapter in chapters {
        for seed in seeds {
            let task = variant::draw(chapter, seed, Task::Fault).unwrap();
            homework.hand_in(&format!("repaired-{seed}"), seed, chapter, &task.solution);
            for (number, (name, program)) in
                variant::every_fault(chapter, seed).unwrap().into_iter().enumerate()
            {
                let key = format!("fault{number}-{seed}");
                homework.hand_in(&key, seed, chapter, &program);
                names.insert(format!("{key} {}", chapter.name), name);
            }
        }
    }
    let results = homework.grade(chapters, &["--find-the-fault"]);
    let mut tried = 0;
    for (name, graded) in &results {
        let fault = names.get(name);
        // A chapter with fewer faults has no program under the key of another's.
        if fault.is_none() && !name.starts_with("repaired") {
            assert_eq!(graded.outcome, Outcome::Invalid, "{name}");
            continue;
        }
        let wanted = if fault.is_none() { Outcome::Passed } else { Outcome::Failed };
        assert_eq!(graded.outcome, wanted, "{name} {fault:?}: {}", in_words(graded));
        tried += usize::from(fault.is_some());
    }
    assert_eq!(tried, names.len());
}

fn two() -> Vec<Chapter> {
    ["ch2", "ch5"].map(|name| Chapter::find(name).unwrap()).to_vec()
}

#[test]
fn a_variant_is_solved_by_its_own_solution_and_by_no_other() {
    slow!();
    own_passes_and_no_other(&two(), &["ada", "bob"]);
}

#[test]
fn a_program_with_a_fault_fails_and_repaired_it_passes() {
    slow!();
    each_fault_fails(&two()[..1], &["ada"]);
}

#[test]
#[ignore = "takes minutes: the scheduled workflow runs it"]
fn every_variant_of_every_chapter_is_solved_by_its_own_solution_and_by_no_other() {
    own_passes_and_no_other(&variant::chapters().unwrap(), &["1", "2", "3"]);
}

#[test]
#[ignore = "takes minutes: the scheduled workflow runs it"]
fn every_fault_of_every_chapter_fails_and_repaired_it_passes() {
    each_fault_fails(&variant::chapters().unwrap(), &["1"]);
}

#[test]
fn what_has_no_variant_is_said_and_costs_nothing() {
    let chapters = [Chapter::find("ch2").unwrap()];
    let mut homework = Homework::new();
    let own = variant::draw(&chapters[0], "ada", Task::Exercise).unwrap();
    homework.hand_in("ada", "ada", &chapters[0], &own.solution);
    homework.hand_in("eve", "eve", &chapters[0], &own.solution);
    homework.students.remove("eve");
    said(homework.command(&chapters, &[]).output().unwrap(), 3);
    let results = results(&homework.folder.path().join("out"));
    assert_eq!(results["ada ch02-unshare"].outcome, Outcome::Passed);
    let eve = &results["eve ch02-unshare"];
    assert_eq!((eve.outcome, eve.points.earned), (Outcome::Cannot, None));
    let cause = &eve.trouble.as_ref().unwrap().cause;
    assert!(cause.contains("does not have the key `eve`"), "{cause}");

    // The same program is graded anew when the table says that the student has another variant.
    homework.students.insert("ada".into(), "another".into());
    homework.students.insert("eve".into(), "ada".into());
    let results = homework.grade(&chapters, &[]);
    assert_eq!(results["ada ch02-unshare"].outcome, Outcome::Failed);
    assert_eq!(results["eve ch02-unshare"].outcome, Outcome::Passed);
    let changes = fs::read_to_string(homework.folder.path().join("out/changes.txt")).unwrap();
    assert!(changes.contains("because the variants have changed"), "{changes}");

    let further = homework.folder.path().join("points.toml");
    fs::write(&further, "further = 1\n").unwrap();
    let none = [Chapter::find("ch1").unwrap()];
    let broken = homework.folder.path().join("broken.toml");
    fs::write(&broken, "ada = 1\n").unwrap();
    let broken = broken.display().to_string();
    for (chapters, options, wrong) in [
        (&none, &[][..], "ch01-look has no variants"),
        (&chapters, &["--points", &further.display().to_string()], "points for step 5"),
        (&chapters, &["--variants", "/nowhere"], "`/nowhere` is no table of variants"),
        (&chapters, &["--variants", &broken], "is no table of variants"),
    ] {
        let said = said(homework.command(chapters, options).output().unwrap(), 2);
        assert!(said.contains(wrong), "{options:?}: {said}");
        assert!(said.contains("help: "), "{said}");
    }
}
