//! A folder of submissions that is graded as a teacher does it.

// Each test crate uses some of it.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use assert_cmd::cargo::CommandCargoExt as _;
use grade::result::Graded;
use tempfile::TempDir;

pub(crate) const CHAPTER: &str = "ch02-unshare";

/// A folder of submissions, and one for the results.
pub(crate) struct Course {
    folder: TempDir,
}

impl Course {
    /// Submissions by their paths.
    pub(crate) fn new(submissions: &[(&str, &str)]) -> Course {
        let course = Course { folder: tempfile::tempdir().unwrap() };
        submissions.iter().for_each(|(path, text)| course.hand_in(path, text));
        course
    }

    pub(crate) fn at(&self, path: &str) -> PathBuf {
        self.folder.path().join(path)
    }

    pub(crate) fn hand_in(&self, path: &str, text: &str) {
        let file = self.at("in").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub(crate) fn command(&self, out: &str, options: &[&str]) -> Command {
        let mut grade = Command::cargo_bin("grade").unwrap();
        grade.arg(self.at("in")).arg("--out").arg(self.at(out)).args(["--chapters", CHAPTER]);
        grade.args(options);
        grade
    }

    /// Grades to the end. Returns what was printed.
    pub(crate) fn grade(&self, out: &str, options: &[&str]) -> String {
        said(self.command(out, options).output().unwrap(), 0)
    }

    pub(crate) fn results(&self, out: &str) -> BTreeMap<String, Graded> {
        results(&self.at(out))
    }
}

pub(crate) fn said(output: Output, status: i32) -> String {
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert_eq!(output.status.code(), Some(status), "{said}");
    said
}

/// The results of one chapter, by the keys of the submissions.
pub(crate) fn results(out: &Path) -> BTreeMap<String, Graded> {
    graded(out).into_iter().map(|graded| (graded.key.clone(), graded)).collect()
}

/// All results that are there.
pub(crate) fn graded(out: &Path) -> Vec<Graded> {
    let Ok(students) = fs::read_dir(out.join("results")) else { return Vec::new() };
    let mut results = Vec::new();
    for student in students {
        for file in fs::read_dir(student.unwrap().path()).unwrap() {
            let file = file.unwrap().path();
            if file.extension() == Some("json".as_ref()) {
                let text = fs::read_to_string(&file).unwrap();
                results.push(Graded::from_json(&text).unwrap());
            }
        }
    }
    results
}

/// Without times and provenance.
pub(crate) fn grades(results: &BTreeMap<String, Graded>) -> Vec<String> {
    let grade = |(key, graded): (&String, &Graded)| {
        let steps = graded.steps.iter().map(|step| (step.outcome, step.points, &step.mistake));
        format!("{key} {:?} {:?} {:?}", graded.outcome, graded.points, steps.collect::<Vec<_>>())
    };
    results.iter().map(grade).collect()
}

pub(crate) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub(crate) fn solution() -> String {
    fs::read_to_string(repository().join("solutions/ch02-unshare/src/main.rs")).unwrap()
}

pub(crate) fn stub() -> String {
    fs::read_to_string(repository().join("exercises/ch02-unshare/stub.rs")).unwrap()
}

pub(crate) const BROKEN: &str = "fn main() { let number: u32 = \"text\"; }";
