//! A disk that is full: the run ends and says so, no result is a part of one, and it goes on when there is room.

#[path = "../../../exercises/lab/tests/common/skip.rs"]
#[macro_use]
mod skip;
mod common;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use assert_cmd::cargo::cargo_bin;
use common::{BROKEN, CHAPTER, Course, said, solution, stub};
use grade::result::{Graded, Outcome};

/// The status of the script if no disk can be mounted.
const NO_DISK: i32 = 77;

/// Room for some results, and not for all.
const SIZES: [&str; 4] = ["40k", "120k", "400k", "1200k"];

#[test]
fn a_full_disk_costs_no_result() {
    slow!();
    let course = Course::new(&[("right.rs", &solution()), ("stub.rs", &stub())]);
    for number in 0..6 {
        course.hand_in(&format!("broken{number}.rs"), BROKEN);
        course.hand_in(&format!("damaged{number}.zip"), "PK\x03\x04");
    }
    // Builds the course where there is room.
    course.grade("whole", &[]);
    let wanted = outcomes(course.results("whole"));
    // Each size fills the disk at another moment. What is there is copied before the disk gets larger.
    let script = "mkdir \"$2\" \"$2.full\" && mount -t tmpfs -o size=\"$3\" none \"$2\" || exit 77\n\
                  \"$0\" \"$1\" --out \"$2\" --chapters \"$4\" --jobs 2; echo \"status $?\"\n\
                  cp -R \"$2\" \"$2.full/\" && mount -o remount,size=100m \"$2\"\n\
                  \"$0\" \"$1\" --out \"$2\" --chapters \"$4\"; echo \"status $?\"\n\
                  cp -R \"$2\" \"$2.after\"";
    let mut cut_short = 0;
    for size in SIZES {
        let out = course.at(size);
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]);
        command.arg(cargo_bin!("grade")).arg(course.at("in")).args([&out, &PathBuf::from(size)]);
        let output = command.arg(CHAPTER).output().unwrap();
        if output.status.code() == Some(NO_DISK) {
            return skip!(
                "no disk can be mounted here: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let said = said(output, 0);
        // Each file that was renamed is whole.
        let full = common::results(&course.at(&format!("{size}.full/{size}")));
        if said.contains("status 0\nstatus 0") || full.len() == wanted.len() {
            continue;
        }
        cut_short += 1;
        assert!(said.contains("status 3"), "{size}: {said}");
        assert!(said.contains("No space left on device"), "{size}: {said}");
        assert!(said.contains("help: make room"), "{size}: {said}");
        let full = outcomes(full);
        assert!(full.iter().all(|(key, outcome)| wanted[key] == *outcome), "{size}: {full:?}");
        let after = outcomes(course.results(&format!("{size}.after")));
        assert_eq!(after, wanted, "{size}: {said}");
    }
    assert!(cut_short >= 2, "{cut_short}");
}

fn outcomes(results: BTreeMap<String, Graded>) -> BTreeMap<String, Outcome> {
    results.into_iter().map(|(key, graded)| (key, graded.outcome)).collect()
}
