//! A small course, graded as a teacher does it.

#[path = "../../../exercises/lab/tests/common/skip.rs"]
#[macro_use]
mod skip;
mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use assert_cmd::cargo::CommandCargoExt as _;
use common::{BROKEN, CHAPTER, Course, grades, results, said, solution, stub};
use grade::result::{Graded, Limit, Outcome};

#[test]
fn each_submission_gets_one_clear_result() {
    slow!();
    let in_checkout = format!("exercises/{CHAPTER}/src/main.rs");
    let course = Course::new(&[
        ("bare.rs", &solution()),
        (&format!("checkout/{in_checkout}"), &solution()),
        // Nothing else of a submission counts.
        (&format!("checkout/exercises/{CHAPTER}/build.rs"), "fn main() { panic!() }"),
        (&format!("checkout/exercises/{CHAPTER}/Cargo.toml"), "no manifest"),
        ("stub.rs", &stub()),
        ("broken/main.rs", BROKEN),
        ("empty/notes.txt", ""),
        ("doubled/main.rs", &stub()),
        ("doubled.rs", &solution()),
        ("damaged.zip", "PK\x03\x04"),
        ("older/exercises/ch02-leave/src/main.rs", &stub()),
    ]);
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file(format!("a/{in_checkout}"), zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(solution().as_bytes()).unwrap();
    fs::write(course.at("in/zipped.zip"), zip.finish().unwrap().into_inner()).unwrap();

    let said = course.grade("out", &[]);
    let results = course.results("out");
    let outcomes: Vec<_> = results.values().map(|it| (it.key.as_str(), it.outcome)).collect();
    let wanted = [
        ("bare", Outcome::Passed),
        ("broken", Outcome::NotBuilt),
        ("checkout", Outcome::Passed),
        ("damaged", Outcome::Invalid),
        ("doubled", Outcome::Invalid),
        ("empty", Outcome::Invalid),
        ("older", Outcome::Invalid),
        ("stub", Outcome::Failed),
        ("zipped", Outcome::Passed),
    ];
    assert_eq!(outcomes, wanted, "{said}");
    let schema = include_str!("../result.schema.json");
    let schema = jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap();
    for graded in results.values() {
        let text = graded.to_json();
        let faults = schema.iter_errors(&serde_json::from_str(&text).unwrap()).count();
        assert_eq!(faults, 0, "{text}");
        for tree in ["log", "feedback"] {
            let text = course.at("out").join(tree).join(&graded.key).join(CHAPTER);
            assert!(text.with_extension("md").exists(), "{}", text.display());
        }
        let points = graded.points;
        let full = points.earned == Some(points.possible);
        assert_eq!(full, graded.outcome == Outcome::Passed, "{text}");
    }
    assert!(results["broken"].trouble.as_ref().unwrap().said.contains("mismatched types"));

    // What is graded stays, byte for byte, until it is handed in anew.
    let before = fs::read(course.at("out/results/bare/ch02-unshare.json")).unwrap();
    course.hand_in("stub.rs", &solution());
    let said = course.grade("out", &[]);
    assert!(said.contains("8 of them by an earlier run"), "{said}");
    assert_eq!(fs::read(course.at("out/results/bare/ch02-unshare.json")).unwrap(), before);
    assert_eq!(course.results("out")["stub"].outcome, Outcome::Passed);
    let changes = fs::read_to_string(course.at("out/changes.txt")).unwrap();
    let change = "stub ch02-unshare: failed 0 of 4 is now passed 4 of 4, because another program \
                  was handed in";
    assert!(changes.contains(change) && changes.lines().count() == 1, "{changes}");

    let said = course.grade("out", &["--again", "broken"]);
    assert!(said.starts_with("broken ") && said.contains("1 programs"), "{said}");
}

#[test]
fn the_compiler_finds_nothing_of_this_machine_and_has_limits() {
    slow!();
    // Built here, so that it is there for the compiler of this machine.
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "pub fn secret() {}").unwrap();
    let path = secret.path().display();
    let course = Course::new(&[
        ("include.rs", &format!("fn main() {{ print!(\"{{}}\", include_str!(\"{path}\")) }}")),
        ("path.rs", &format!("#[path = \"{path}\"] mod secret; fn main() {{ secret::secret() }}")),
        ("env.rs", "fn main() { print!(\"{}\", env!(\"CARGO_MANIFEST_DIR\")) }"),
        ("crate.rs", "fn main() { harness::env::root(); }"),
        (
            "memory.rs",
            "#![recursion_limit = \"100000\"]\n\
             macro_rules! more { ($($t:tt)*) => { more! { $($t)* $($t)* } } }\n\
             more! { a b c d }\nfn main() {}",
        ),
    ]);
    course.grade("out", &[]);
    let results = course.results("out");
    assert_eq!(results.len(), 5);
    for graded in results.values() {
        assert_eq!(graded.outcome, Outcome::NotBuilt, "{}", graded.to_json());
        let said = &graded.trouble.as_ref().unwrap().said;
        let is_limited = graded.key == "memory";
        assert_eq!(graded.limits, if is_limited { vec![Limit::Memory] } else { vec![] }, "{said}");
    }
}

#[test]
fn shards_are_merged_in_any_order() {
    slow!();
    let course = Course::new(&[
        ("a.rs", &solution()),
        ("b.rs", BROKEN),
        ("c/none", ""),
        ("d.rs", BROKEN),
        ("e.rs", "fn main() {}"),
    ]);
    course.grade("whole", &[]);
    let shards = ["0/3", "1/3", "2/3"];
    for (number, shard) in shards.iter().enumerate() {
        course.grade(&format!("part{number}"), &["--shard", shard]);
    }
    let merge = |parts: &[&str], out: &str, status| {
        let mut grade = Command::cargo_bin("grade").unwrap();
        grade.arg("merge").args(parts.iter().map(|part| course.at(part)));
        said(grade.arg("--out").arg(course.at(out)).output().unwrap(), status)
    };
    merge(&["part0", "part1", "part2"], "one", 0);
    merge(&["part2", "part0"], "other", 0);
    merge(&["part1", "part1"], "other", 0);
    let bytes = |out: &str| results(&course.at(out)).into_values().map(|it| it.to_json());
    assert_eq!(bytes("one").collect::<Vec<_>>(), bytes("other").collect::<Vec<_>>());
    assert_eq!(grades(&course.results("one")), grades(&course.results("whole")));

    // Two runs of the same that agree are no conflict.
    merge(&["whole"], "one", 0);
    let file = course.at("whole/results/b/ch02-unshare.json");
    let text = fs::read_to_string(&file).unwrap().replace("\"not-built\"", "\"failed\"");
    fs::write(&file, text).unwrap();
    let said = merge(&["part0", "part1", "part2", "whole"], "third", 1);
    assert!(said.contains("error: b ch02-unshare: ") && said.contains("4 results"), "{said}");
    assert!(!course.results("third").contains_key("b"));
}

/// What a program prints that does nothing but print what it is given.
fn drawn(results: &BTreeMap<String, Graded>, key: &str) -> Vec<String> {
    results[key].steps.iter().map(|step| format!("{}{}", step.stdout, step.stderr)).collect()
}

#[test]
fn the_same_program_is_given_the_same_again() {
    slow!();
    let tells = "fn main() { println!(\"{:?}\", std::env::args().skip(1).collect::<Vec<_>>()); }";
    let other = format!("{tells} // another");
    let course = Course::new(&[("a.rs", tells), ("b.rs", tells), ("c.rs", BROKEN)]);
    let secret = course.at("secret");
    fs::write(&secret, [7; 32]).unwrap();
    let seed = ["--seed", secret.to_str().unwrap()];
    course.grade("one", &seed);
    let one = course.results("one");
    assert!(drawn(&one, "a")[0].contains('['), "{:?}", one["a"].steps);
    assert_ne!(drawn(&one, "a"), drawn(&one, "b"), "each student is given something else");

    // Alone, again, and in a part, with the same secret.
    course.grade("one", &[&seed[..], &["--again", "a"]].concat());
    let texts = |graded: &Graded| {
        let texts = graded.steps.iter().map(|step| (step.wanted.clone(), step.saw.clone()));
        texts.collect::<Vec<_>>()
    };
    let parts = ["0/2", "1/2"].map(|shard| {
        let out = format!("part{}", &shard[..1]);
        course.grade(&out, &[&seed[..], &["--shard", shard]].concat());
        course.results(&out)
    });
    let again = course.results("one");
    for key in ["a", "b"] {
        let part = parts.iter().find(|part| part.contains_key(key)).unwrap();
        for other in [&again, part] {
            assert_eq!(drawn(other, key), drawn(&one, key));
            assert_eq!(texts(&other[key]), texts(&one[key]));
        }
    }

    // Without it a folder has a secret of its own, for the teacher's eyes.
    course.grade("two", &[]);
    course.grade("three", &["--jobs", "1"]);
    let (two, three) = (course.results("two"), course.results("three"));
    assert_ne!(drawn(&two, "a"), drawn(&one, "a"));
    assert_ne!(drawn(&two, "a"), drawn(&three, "a"));
    course.grade("two", &["--again", "a"]);
    assert_eq!(drawn(&course.results("two"), "a"), drawn(&two, "a"));
    let mode = fs::metadata(course.at("two/.secret")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // A program that has its inputs from an earlier grading in it is given others.
    course.hand_in("a.rs", &other);
    course.grade("one", &seed);
    assert_ne!(drawn(&course.results("one"), "a"), drawn(&one, "a"));

    fs::write(&secret, "short").unwrap();
    let said = said(course.command("four", &seed).output().unwrap(), 2);
    assert!(said.contains("has 5 bytes"), "{said}");
}

#[test]
fn results_are_written_as_other_systems_read_them() {
    let course = Course::new(&[("alice.rs", BROKEN), ("bob.rs", BROKEN)]);
    course.grade("out", &[]);
    let write = |words: &[&str], status| {
        let mut grade = Command::cargo_bin("grade").unwrap();
        let path = |word: &&str| match word.strip_prefix('@') {
            Some(name) => course.at(name).into_os_string(),
            None => word.into(),
        };
        grade.arg("write").args(words.iter().map(path));
        said(grade.output().unwrap(), status)
    };
    let table = write(&["csv", "@out"], 0);
    assert!(table.contains("\r\nalice,ch02-unshare,not-built,0,4,"), "{table}");
    assert!(write(&["junit", "@out"], 0).contains("classname=\"bob.ch02-unshare\""));
    let said = write(&["gradescope", "@out"], 2);
    assert!(said.contains("about one student, not 2"), "{said}");
    write(&["gradescope", "@out", "--key", "alice", "--out", "@results.json"], 0);
    let results = || fs::read_to_string(course.at("results.json")).unwrap();
    assert!(results().contains("\"score\": 0"), "{}", results());
    assert!(
        write(&["autolab", "@out", "--key", "bob"], 0)
            .ends_with("{\"scores\":{\"ch02-unshare\":0}}\n")
    );
    assert!(write(&["csv", "@out", "--key", "alise"], 2).contains("did you mean `alice`?"));
    assert!(write(&["classroom50", "@out", "--key", "bob"], 2).contains("is not set"));
    let bob = ["csv", "@out", "--chapters", "ch3"];
    assert!(write(&bob, 2).contains("no result of these chapters"));
    // A run that was cut short has no sum.
    let cut = ["gradescope", "@out", "--key", "bob", "--chapters", "ch2,ch3"];
    assert!(write(&cut, 3).contains("there is no result of ch03-clone"));

    // The machine could not judge one of them.
    let file = course.at("out/results/alice/ch02-unshare.json");
    let text = fs::read_to_string(&file).unwrap();
    let text = text.replace("\"earned\": 0", "\"earned\": null").replace("not-run", "cannot");
    fs::write(&file, text.replace("not-built", "cannot")).unwrap();
    fs::remove_file(course.at("results.json")).unwrap();
    let alice = ["gradescope", "@out", "--key", "alice", "--out", "@results.json"];
    assert!(write(&alice, 3).contains("no point is lost"));
    assert!(!course.at("results.json").exists());
    let before = "{\"previous_submissions\":[{\"results\":{\"score\":4,\"output\":\"\"}}]}";
    fs::write(course.at("metadata.json"), before).unwrap();
    write(&[&alice[..], &["--previous", "@metadata.json"]].concat(), 0);
    assert!(results().contains("\"score\": 4"), "{}", results());
    // Nor has a grader judged anything that left no result at all.
    fs::create_dir_all(course.at("nothing/results")).unwrap();
    let none = ["gradescope", "@nothing", "--out", "@results.json", "--previous", "@metadata.json"];
    fs::remove_file(course.at("results.json")).unwrap();
    write(&none, 0);
    assert!(results().contains("\"score\": 4"), "{}", results());

    let columns = ["--students", "id", "--column", "points", "--out", "@new.csv"];
    let fill = |table: &str, status| {
        fs::write(course.at("old.csv"), table).unwrap();
        let said = write(&[&["@out", "--into", "@old.csv"][..], &columns].concat(), status);
        (said, fs::read_to_string(course.at("new.csv")).unwrap())
    };
    let (said, new) = fill("id,points\nbob,\nalice,9\n", 3);
    assert!(new == "id,points\nbob,0\nalice,9\n" && said.contains("its cell stays"), "{said}");
    let (said, new) = fill("id,points\nalice,9\n", 1);
    assert!(new == "id,points\nalice,9\n" && said.contains("`bob` is not in the table"), "{said}");
}

#[test]
fn what_makes_no_sense_is_said() {
    let course = Course::new(&[("alice.rs", BROKEN)]);
    let scheme = course.at("points.toml");
    fs::write(&scheme, "[chapters.ch02-unshare]\nsteps = { 77 = 1 }\n").unwrap();
    fs::create_dir(course.at("thesis")).unwrap();
    fs::write(course.at("thesis/thesis.tex"), "").unwrap();
    for (out, options, wanted) in [
        ("out", &["--shard", "7/7"][..], "`7/7` is no part of the submissions"),
        ("out", &["--again", "alise"], "did you mean `alice`?"),
        ("out", &["--feedback", "some"], "there are `full`, `own` and `kind`"),
        ("out", &["--points", scheme.to_str().unwrap()], "step 77 of ch02-unshare, which has 5"),
        ("out", &["/nowhere"], "could not read `/nowhere`"),
        ("thesis", &[], "has no results in it"),
        ("out", &["--seed", "/nowhere"], "`head -c 32 /dev/urandom > /nowhere` makes one"),
        ("out", &["/tmp", "--one", "alice"], "`--one` is about one submission"),
    ] {
        let said = said(course.command(out, options).output().unwrap(), 2);
        assert!(said.contains(wanted), "{said}");
    }
}
