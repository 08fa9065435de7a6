//! What is on the disk if the power goes: a name that is seen is that of a whole file, because the file was synced
//! before it got the name, and a result has its name last.

#[path = "../../../exercises/lab/tests/common/skip.rs"]
#[macro_use]
mod skip;
mod common;

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use common::{CHAPTER, Course};

/// The trees of texts and results, and what a file in each is called.
const TREES: [(&str, &str); 3] = [("log", "md"), ("feedback", "md"), ("results", "json")];

/// Calls that write, and which of them is the last one of a run: each result has three files.
const LAST: [(&str, u32); 7] = [
    ("fsync", 1),
    ("rename", 1),
    ("fsync", 3),
    ("rename", 2),
    ("fsync", 5),
    ("rename", 3),
    ("fsync", 6),
];

/// `strace`, which runs `grade`.
fn traced(course: &Course, out: &str, options: &[&str]) -> Command {
    let grade = course.command(out, &["--jobs", "1"]);
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-qq", "-e", "signal=none", "-o"]).arg(course.at("trace"));
    strace.args(options).arg(grade.get_program()).args(grade.get_args());
    strace
}

#[test]
fn a_file_gets_its_name_when_it_is_on_the_disk() {
    slow!();
    if Command::new("strace").arg("--version").output().is_err() {
        return skip!("there is no strace(1)");
    }
    let course = Course::new(&[("damaged.zip", "PK\x03\x04")]);
    course.grade("built", &[]);
    let calls = ["-e", "trace=openat,creat,write,ftruncate,fsync,fdatasync,rename,renameat2"];
    let output = traced(&course, "out", &calls).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let trace = fs::read_to_string(course.at("trace")).unwrap();
    let faults = faults(&trace, &format!("{}/", course.at("out").display()));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// What would be lost or cut in the folder `out` if the power went at some moment of a trace.
fn faults(trace: &str, out: &str) -> Vec<String> {
    let (mut unsynced, mut named) = (BTreeSet::new(), Vec::new());
    let mut faults = Vec::new();
    for line in trace.lines() {
        let Some((call, rest)) = line.split_once('(') else { continue };
        let call = call.rsplit(' ').next().unwrap();
        // A path stands in quotes, and that of a descriptor behind it.
        let quoted: Vec<&str> = rest.split('"').skip(1).step_by(2).collect();
        let of_descriptor = rest.split(['<', '>']).nth(1).unwrap_or_default();
        match call {
            "openat" | "creat" if rest.contains("O_TRUNC") || rest.contains("O_CREAT") => {
                let path = quoted[0];
                if path.starts_with(out) && path.ends_with(".new") {
                    unsynced.insert(path);
                } else if TREES.iter().any(|(tree, _)| path.starts_with(&format!("{out}{tree}/"))) {
                    faults.push(format!("written in its place: {line}"));
                }
            }
            "write" | "ftruncate" if of_descriptor.ends_with(".new") => {
                unsynced.insert(of_descriptor);
            }
            "fsync" | "fdatasync" => _ = unsynced.remove(of_descriptor),
            "rename" | "renameat2" if quoted[0].starts_with(out) => {
                if unsynced.contains(quoted[0]) {
                    faults.push(format!("not synced: {line}"));
                }
                named.push(quoted[1].strip_prefix(out).unwrap_or(quoted[1]));
            }
            _ => {}
        }
    }
    let wanted = TREES.map(|(tree, ending)| format!("{tree}/damaged/{CHAPTER}.{ending}"));
    if named != [".secret", &wanted[0], &wanted[1], &wanted[2]] {
        faults.push(format!("named in this order: {named:?}"));
    }
    faults
}

#[test]
fn each_call_may_be_the_last() {
    slow!();
    let course = Course::new(&[("damaged.zip", "PK\x03\x04")]);
    course.grade("whole", &[]);
    for (call, number) in LAST {
        let out = format!("{call}{number}");
        let kill = format!("inject={call}:signal=SIGKILL:when={number}");
        let run = traced(&course, &out, &["-e", "trace=fsync,rename", "-e", &kill]).output();
        let Ok(run) = run else { return skip!("there is no strace(1)") };
        let said = String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.signal(), Some(libc::SIGKILL), "{out}: {said}");
        let secret = fs::read(course.at(&out).join(".secret")).unwrap_or_default();
        let results = course.results(&out);
        for key in results.keys() {
            for (tree, ending) in TREES {
                let text = course.at(&out).join(tree).join(key).join(CHAPTER);
                assert!(fs::metadata(text.with_extension(ending)).unwrap().len() > 0, "{out}");
            }
        }
        course.grade(&out, &[]);
        if !secret.is_empty() {
            assert_eq!(fs::read(course.at(&out).join(".secret")).unwrap(), secret, "{out}");
        }
        assert_eq!(course.results(&out)["damaged"].outcome, grade::result::Outcome::Invalid);
        // What was there already was not made again.
        if let Some(before) = results.get("damaged") {
            assert_eq!(&course.results(&out)["damaged"], before, "{out}");
        }
    }
}
