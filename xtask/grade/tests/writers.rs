//! What other systems read of a result: golden files, the contracts, and what may never happen in any format.
//!
//! `cargo test -p grade --test writers -- --ignored` writes the golden files anew.

use std::fs;
use std::path::{Path, PathBuf};

use grade::points::Points;
use grade::result::{
    Course, Graded, Limit, Outcome, Provenance, SCHEMA, Score, Seconds, Step, StepOutcome,
    Submission, Trouble,
};
use grade::texts::Level;
use grade::writers::classroom50::Identity;
use grade::writers::gradebook::{Columns, Filled, fill};
use grade::writers::probe::Probed;
use grade::writers::{Student, Total, autolab, classroom50, csv, gradescope, junit, prairielearn};
use grade::writers::{gradebook, probe};
use serde_json::{Value, json};

const OUTCOMES: [Outcome; 6] = [
    Outcome::Passed,
    Outcome::Failed,
    Outcome::Cannot,
    Outcome::Broken,
    Outcome::NotBuilt,
    Outcome::Invalid,
];

fn points(number: f64) -> Points {
    Points::new(number).unwrap()
}

fn step(number: u32, further: bool, outcome: StepOutcome) -> Step {
    let possible = points(if further { 0.5 } else { 1.0 });
    let earned = match outcome {
        StepOutcome::Passed => Some(possible),
        StepOutcome::Failed | StepOutcome::NotRun => Some(Points::ZERO),
        StepOutcome::Cannot | StepOutcome::Broken => None,
    };
    let failed = outcome == StepOutcome::Failed;
    let text = |text: &str| if failed { text.to_owned() } else { String::new() };
    Step {
        step: number,
        further,
        name: format!("step number {number} is done, \"well\" & <truly>"),
        outcome,
        points: Score { earned, possible },
        wanted: text("COMMAND uts    B"),
        saw: text("COMMAND uts    A"),
        stdout: text("printed ]]> \u{1b}[1m\0, and a comma"),
        stderr: text("{\"scores\": {\"ch02-unshare\": 100}}\n"),
        mistake: text("the name is set before leaving the namespace"),
        cause: match outcome {
            StepOutcome::Cannot => "new user namespaces are forbidden here".to_owned(),
            _ => text("It was set in the old one."),
        },
        remedy: text("Call unshare first."),
        call: text("sethostname(\"otter\")"),
        skipped: String::new(),
        unsteady: false,
        seconds: 0.25,
    }
}

/// A result as grading makes it: of a program that was not judged, some steps may have passed.
fn graded(key: &str, chapter: &str, outcome: Outcome) -> Graded {
    use StepOutcome::{Broken, Cannot, Failed, NotRun, Passed};
    let outcomes = match outcome {
        Outcome::Passed => [Passed, Passed, Failed],
        Outcome::Failed => [Passed, Failed, Failed],
        Outcome::Cannot => [Passed, Cannot, Cannot],
        Outcome::Broken => [Passed, Broken, Passed],
        Outcome::NotBuilt | Outcome::Invalid => [NotRun, NotRun, NotRun],
    };
    let numbers = [(1, false), (2, false), (10, true)];
    let steps = numbers
        .iter()
        .zip(outcomes)
        .map(|((number, further), outcome)| step(*number, *further, outcome));
    let steps: Vec<_> = steps.collect();
    let trouble = match outcome {
        Outcome::Passed | Outcome::Failed => None,
        Outcome::Cannot => Some(("new user namespaces are forbidden here", "allow them", "")),
        Outcome::Broken => Some(("the check broke at step 2", "", "a panic")),
        Outcome::NotBuilt => {
            Some(("the program does not compile", "build it", "error[E0308]: mismatched types"))
        }
        Outcome::Invalid => Some(("its archive is damaged", "pack it again", "")),
    };
    let trouble = trouble.map(|(cause, remedy, said)| Trouble {
        cause: cause.into(),
        remedy: remedy.into(),
        said: said.into(),
    });
    Graded {
        schema: SCHEMA,
        key: key.into(),
        chapter: chapter.into(),
        outcome,
        points: Graded::score(&steps),
        trouble,
        steps,
        limits: vec![],
        seconds: Seconds { build: 0.5, check: 0.75 },
        provenance: Provenance {
            course: Course { revision: "4f9f7a5".into(), ..Course::default() },
            submission: Submission { time: "2026-11-30T12:00:00Z".into(), ..Submission::default() },
            graded: "2026-11-30T15:40:00Z".into(),
            ..Provenance::default()
        },
    }
}

fn of(outcome: Outcome) -> Graded {
    graded("alice", "ch02-unshare", outcome)
}

/// A student of each outcome, and one more chapter of one of them.
fn course() -> Vec<Graded> {
    OUTCOMES
        .iter()
        .map(|outcome| graded(&format!("s-{}", outcome.word()), "ch02-unshare", *outcome))
        .collect()
}

fn identity() -> Identity {
    let value = |name: &str| match name {
        "ASSIGNMENT_TYPE" => "individual".to_owned(),
        "SUBMISSION_TAG" => "submit/20261130T120000Z-4f9f7a5".to_owned(),
        name => format!("the-{}", name.to_lowercase()),
    };
    Identity::from_variables(|name| Some(value(name))).unwrap()
}

/// What Gradescope says of the submissions before this one.
fn metadata() -> Value {
    json!({ "id": 2, "previous_submissions": [
        { "submission_time": "2026-11-29T12:00:00Z", "score": 1.0, "autograder_error": false },
        { "submission_time": "2026-11-30T11:00:00Z", "score": 2.0, "autograder_error": false,
          "results": { "score": 2.0, "output": "as it was", "tests": [{ "name": "one", "score": 2.0 }] } },
    ] })
}

/// This student's results in each format that is about one.
struct Written {
    gradescope: Option<Value>,
    kept: Option<Value>,
    classroom50: Option<Value>,
    prairielearn: Value,
    autolab: String,
}

fn written(results: &[Graded]) -> Written {
    let students = Student::all(results);
    let [student] = students.as_slice() else { panic!("one student") };
    let level = Level::Full;
    Written {
        gradescope: gradescope::results(student, level, None),
        kept: gradescope::results(student, level, Some(&metadata())),
        classroom50: classroom50::result(student, &identity(), level),
        prairielearn: prairielearn::results(student, level),
        autolab: autolab::output(student, level),
    }
}

impl Written {
    /// As Autolab reads it: a word before a colon gets quotes, wherever it stands.
    fn autolab(&self) -> Value {
        let line = self.autolab.trim_end().lines().last().unwrap();
        let bytes = line.as_bytes();
        let is_mended =
            bytes.windows(2).any(|pair| pair[0].is_ascii_alphanumeric() && pair[1] == b':');
        assert!(!is_mended, "Autolab would change {line}");
        serde_json::from_str(line).unwrap()
    }
}

fn contract(name: &str) -> jsonschema::Validator {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("contracts/{name}.schema.json"));
    let schema = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    jsonschema::meta::validate(&schema).unwrap();
    jsonschema::validator_for(&schema).unwrap()
}

#[track_caller]
fn keeps(contract: &jsonschema::Validator, value: &Value) {
    let faults: Vec<_> = contract.iter_errors(value).map(|fault| fault.to_string()).collect();
    assert_eq!(faults, [""; 0], "{value:#}");
}

fn table() -> String {
    csv::table(&Student::all(&course()))
}

fn report(level: Level) -> String {
    junit::report(&Student::all(&course()), level)
}

const BOOK: &str = "\u{feff}Student;ID;\"Homework 1 (77)\";Notes\r\n    Points Possible;;2;\r\n\
                    \"One, \"\"Al\"\"\";s-passed;;\"x\ny\"\r\nTwo;\"s-failed\";\"\";=1+1\r\n\
                    Three;s-cannot;1;old\r\nFour;s-broken;;\r\nFive;s-not-built;9;\r\nSix;s-invalid;;\r\n\
                    Seven;nobody;;";

fn filled() -> Filled {
    let columns = Columns { students: "ID", points: "Homework 1 (77)", pattern: "{key}" };
    fill(BOOK.as_bytes(), &Student::all(&course()), &columns).unwrap()
}

/// Each golden file, and what it must be.
fn golden() -> Vec<(&'static str, Vec<u8>)> {
    let text = |value: Value| format!("{value:#}\n").into_bytes();
    let two = [
        graded("alice", "ch02-unshare", Outcome::Failed),
        graded("alice", "ch03-clone", Outcome::Passed),
    ];
    let both = written(&two);
    let cannot = written(&[of(Outcome::Cannot)]);
    let not_built = written(&[of(Outcome::NotBuilt)]);
    let probed = Probed {
        chapters: vec![("ch01-look".into(), true), ("ch02-unshare".into(), false)],
        refused: vec!["unshare(CLONE_NEWUSER): EPERM\nthe seccomp filter of the container forbids it\n--security-opt seccomp=unconfined".into()],
    };
    vec![
        ("gradescope.json", text(both.gradescope.unwrap())),
        ("gradescope-cannot.json", text(cannot.kept.unwrap())),
        ("gradescope-probe.json", text(probe::gradescope(&probed))),
        ("classroom50.json", text(both.classroom50.unwrap())),
        ("prairielearn.json", text(both.prairielearn)),
        ("prairielearn-cannot.json", text(cannot.prairielearn)),
        ("prairielearn-not-built.json", text(not_built.prairielearn)),
        ("prairielearn-probe.json", text(probe::prairielearn(&probed))),
        ("autolab.txt", both.autolab.into_bytes()),
        ("autolab-cannot.txt", cannot.autolab.into_bytes()),
        ("junit.xml", report(Level::Full).into_bytes()),
        ("all.csv", table().into_bytes()),
        ("gradebook.csv", filled().table),
    ]
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

#[test]
fn each_format_is_as_it_was() {
    for (name, wanted) in golden() {
        let known = fs::read(file(name)).unwrap_or_default();
        let (known, wanted) = (String::from_utf8_lossy(&known), String::from_utf8_lossy(&wanted));
        assert_eq!(known, wanted, "{name}");
    }
}

#[test]
#[ignore = "writes the golden files anew"]
fn golden_files_are_written() {
    for (name, text) in golden() {
        fs::write(file(name), text).unwrap();
    }
}

#[test]
fn each_format_keeps_its_contract() {
    let of_gradescope = contract("gradescope");
    let of_prairielearn = contract("prairielearn");
    let of_classroom50 = contract("classroom50");
    let of_autolab = contract("autolab");
    for outcome in OUTCOMES {
        let written = written(&[of(outcome)]);
        written.gradescope.iter().chain(&written.kept).for_each(|it| keeps(&of_gradescope, it));
        written.classroom50.iter().for_each(|it| keeps(&of_classroom50, it));
        keeps(&of_prairielearn, &written.prairielearn);
        keeps(&of_autolab, &written.autolab());
    }
    keeps(&of_autolab, &autolab::nothing(&["ch02-unshare"]));
    for name in ["gradescope-probe.json", "prairielearn-probe.json"] {
        let golden = golden().into_iter().find(|(known, _)| *known == name).unwrap().1;
        let of_system = if name.starts_with('g') { &of_gradescope } else { &of_prairielearn };
        keeps(of_system, &serde_json::from_slice(&golden).unwrap());
    }
    // The contracts refuse what the systems refuse.
    assert!(!of_gradescope.is_valid(&json!({ "tests": [] })));
    assert!(
        !of_gradescope.is_valid(&json!({ "score": 1, "tests": [{ "score": 1, "number": 1.2 }] }))
    );
    assert!(!of_prairielearn.is_valid(&json!({ "gradable": true })));
    assert!(!of_prairielearn.is_valid(&json!({ "gradable": true, "score": 2 })));
    assert!(!of_autolab.is_valid(&json!({ "scores": {} })));
    let mut half = written(&[of(Outcome::Failed)]).classroom50.unwrap();
    half["score"] = json!(0.5);
    assert!(!of_classroom50.is_valid(&half));
}

#[test]
fn gradescope_never_takes_a_point_for_what_was_not_judged() {
    for outcome in OUTCOMES {
        let Written { gradescope, kept, .. } = written(&[of(outcome)]);
        if !outcome.is_judged() {
            assert_eq!(gradescope, None, "{outcome:?}");
            let kept = kept.unwrap();
            assert_eq!((&kept["score"], kept["tests"].as_array().unwrap().len()), (&json!(2.0), 1));
            let output = kept["output"].as_str().unwrap();
            assert!(output.contains("not judged") && output.ends_with("as it was"), "{output}");
            continue;
        }
        let results = gradescope.unwrap();
        assert_eq!(Some(results.clone()), kept, "a verdict of its own counts");
        let passed =
            results["tests"].as_array().unwrap().iter().filter(|it| it["status"] == "passed");
        let wanted = match outcome {
            Outcome::Passed => (json!(2), 2),
            Outcome::Failed => (json!(1), 1),
            _ => (json!(0), 0),
        };
        assert_eq!((results["score"].clone(), passed.count()), wanted, "{outcome:?}");
    }
    // The message of an earlier time does not pile up.
    let student = [of(Outcome::Cannot)];
    let student = &Student::all(&student)[0];
    let mut metadata = metadata();
    for _ in 0..3 {
        let kept = gradescope::results(student, Level::Full, Some(&metadata)).unwrap();
        metadata["previous_submissions"][1]["results"] = kept;
    }
    let output = metadata["previous_submissions"][1]["results"]["output"].as_str().unwrap();
    assert_eq!(output.matches("not judged").count(), 1, "{output}");
}

#[test]
fn classroom50_never_takes_a_point_for_what_was_not_judged() {
    for outcome in OUTCOMES {
        let result = written(&[of(outcome)]).classroom50;
        assert_eq!(result.is_some(), outcome.is_judged(), "{outcome:?}");
        let Some(result) = result else { continue };
        let passed = result["tests"].as_array().unwrap().iter().filter(|it| it["passed"] == true);
        // Two points and a half are three.
        let wanted = match outcome {
            Outcome::Passed => (2, 3, 2),
            Outcome::Failed => (1, 3, 1),
            _ => (0, 3, 0),
        };
        let numbers = (result["score"].as_u64().unwrap(), result["max-score"].as_u64().unwrap());
        assert_eq!((numbers.0, numbers.1, passed.count()), wanted, "{outcome:?}");
    }
    let unset = Identity::from_variables(|name| (name != "OWNER").then(|| "submit/x".into()));
    assert!(unset.is_err());
}

#[test]
fn prairielearn_never_takes_a_point_for_what_was_not_judged() {
    for outcome in OUTCOMES {
        let results = written(&[of(outcome)]).prairielearn;
        let (gradable, score) = (results["gradable"].as_bool().unwrap(), results["score"].as_f64());
        let wanted = match outcome {
            Outcome::Passed => (true, Some(0.8)),
            Outcome::Failed => (true, Some(0.4)),
            _ => (false, None),
        };
        assert_eq!((gradable, score), wanted, "{outcome:?}");
        let is_students = matches!(outcome, Outcome::NotBuilt | Outcome::Invalid);
        assert_eq!(results["format_errors"].is_array(), is_students, "{outcome:?}");
    }
    // Where nothing is worth a point.
    for (outcome, score) in [(Outcome::Passed, 1.0), (Outcome::Failed, 0.0)] {
        let mut worthless = of(outcome);
        for step in &mut worthless.steps {
            step.points = Score { earned: Some(Points::ZERO), possible: Points::ZERO };
        }
        worthless.points = Graded::score(&worthless.steps);
        assert_eq!(written(&[worthless]).prairielearn["score"], score);
    }
    // Its file has a limit.
    let mut long = of(Outcome::Failed);
    let many = (3..60).map(|number| Step {
        stdout: "\"\n".repeat(8192),
        ..step(number, false, StepOutcome::Failed)
    });
    long.steps.extend(many);
    long.points = Graded::score(&long.steps);
    let results = written(&[long]).prairielearn;
    assert!(
        results.to_string().len() <= 1_000_000 && results["tests"].as_array().unwrap().len() == 60
    );
}

#[test]
fn autolab_never_takes_a_point_for_what_was_not_judged() {
    for outcome in OUTCOMES {
        let wanted = match outcome {
            Outcome::Passed => json!(2),
            Outcome::Failed => json!(1),
            Outcome::Cannot | Outcome::Broken => Value::Null,
            _ => json!(0),
        };
        let line = written(&[of(outcome)]).autolab();
        assert_eq!(line, json!({ "scores": { "ch02-unshare": wanted } }), "{outcome:?}");
    }
    // A score that another chapter has already stays.
    let two = [of(Outcome::Failed), graded("alice", "ch03-clone", Outcome::Cannot)];
    assert_eq!(written(&two).autolab(), json!({ "scores": { "ch02-unshare": 1 } }));
}

#[test]
fn junit_never_takes_a_point_for_what_was_not_judged() {
    let xml = report(Level::Full);
    let suites: Vec<_> = xml.split("<testsuite ").skip(1).collect();
    assert_eq!(suites.len(), OUTCOMES.len());
    for outcome in OUTCOMES {
        let name = format!("name=\"s-{}.ch02-unshare\"", outcome.word());
        let suite = suites.iter().find(|suite| suite.starts_with(&name)).unwrap();
        let count = |what: &str| suite.matches(what).count();
        let wanted = match outcome {
            Outcome::Passed => (2, 1, 0),
            Outcome::Failed => (1, 2, 0),
            Outcome::Cannot | Outcome::Broken => (0, 0, 3),
            Outcome::NotBuilt | Outcome::Invalid => (0, 3, 0),
        };
        let counts = (count("\"></testcase>"), count("<failure "), count("<skipped "));
        assert_eq!(counts, wanted, "{suite}");
        let said =
            format!("tests=\"3\" failures=\"{}\" errors=\"0\" skipped=\"{}\"", wanted.1, wanted.2);
        assert!(suite.contains(&said), "{suite}");
    }
    assert!(xml.contains("<skipped message=\"the machine could not run it: new user namespaces"));
    // GitLab drops a test that has the names of another.
    let names: Vec<_> = xml.lines().filter_map(|line| line.split(" time=").next()).collect();
    let names: Vec<_> = names.iter().filter(|line| line.contains("<testcase")).collect();
    assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), names.len());
    assert!(!xml.contains(['\u{1b}', '\0']), "no XML has these");
    // What a student may not see is not in the message either.
    for level in [Level::Own, Level::Kind] {
        let xml = report(level);
        assert!(!xml.contains("before leaving") && !xml.contains("Call unshare first"), "{xml}");
    }
}

#[test]
fn a_table_never_takes_a_point_for_what_was_not_judged() {
    let table = table();
    for outcome in OUTCOMES {
        let points = match outcome {
            Outcome::Passed => "2",
            Outcome::Failed => "1",
            Outcome::Cannot | Outcome::Broken => "",
            _ => "0",
        };
        let word = outcome.word();
        let line = format!("\r\ns-{word},ch02-unshare,{word},{points},2.5,2026-11-30T12:00:00Z,");
        assert!(table.contains(&line), "{table}");
    }
    // The name of a submission is no formula.
    let evil = [graded("=cmd|' /C calc'!A0", "ch02-unshare", Outcome::Passed)];
    assert!(csv::table(&Student::all(&evil)).contains("\r\n'=cmd|' /C calc'!A0,"));
}

#[test]
fn a_gradebook_never_takes_a_point_for_what_was_not_judged() {
    let filled = filled();
    let wanted = BOOK
        .replace("s-passed;;", "s-passed;2;")
        .replace("\"s-failed\";\"\";", "\"s-failed\";\"1\";")
        .replace("s-not-built;9;", "s-not-built;0;")
        .replace("s-invalid;;", "s-invalid;0;");
    assert_eq!(String::from_utf8(filled.table.clone()).unwrap(), wanted);
    let open: Vec<_> = filled.open.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!((filled.filled, filled.without, open), (4, 1, vec!["s-broken", "s-cannot"]));
}

#[test]
fn a_gradebook_gets_no_student_that_it_has_not() {
    let results = [
        graded("Ana_1", "ch02-unshare", Outcome::Passed),
        graded("Ana M\u{fc}ller_12", "ch02-unshare", Outcome::Failed),
        graded("Bo_3", "ch02-unshare", Outcome::Passed),
        graded("Bo_03", "ch02-unshare", Outcome::Passed),
        graded("eve", "ch02-unshare", Outcome::Passed),
    ];
    let students = Student::all(&results);
    let book = b"Identifier,Grade\nParticipant 1,\nParticipant 1,\nParticipant 12,\nParticipant 3";
    let columns =
        Columns { students: "Identifier", points: "Grade", pattern: "Participant {number}" };
    let filled = fill(book, &students, &columns).unwrap();
    assert_eq!(
        filled,
        Filled {
            table:
                b"Identifier,Grade\nParticipant 1,\nParticipant 1,\nParticipant 12,1\nParticipant 3"
                    .to_vec(),
            filled: 1,
            without: 0,
            unknown: vec!["Bo_03".into(), "eve".into()],
            doubled: vec!["Ana_1".into()],
            short: vec!["Bo_3".into()],
            open: vec![],
        }
    );
    // Bytes that are no UTF-8, and a table that nothing goes into, stay as they are.
    let book = b"Identifier,Grade,N\xff\n\xe9,\xfc,\"a\r\nb\"\r\n";
    assert_eq!(fill(book, &students, &columns).unwrap().table, book);
    for (book, what) in [
        (&b"Identifier,Grade,Grade\n"[..], "2 columns are called `Grade`"),
        (b"Identifier,Mark\n", "no column is called `Grade`"),
        (b"", "it is empty"),
        (b"Identifier,Grade\n\"a", "does not end well"),
    ] {
        let (said, help) = fill(book, &students, &columns).unwrap_err();
        assert!(said.contains(what) && !help.is_empty(), "{said}");
    }
    assert!(gradebook::is_pattern(columns.pattern));
}

#[test]
fn missing_evidence_is_no_number_in_any_format() {
    // A timeout is a failure, whatever the program printed before.
    let mut timeout = of(Outcome::Failed);
    timeout.limits = vec![Limit::Time];
    assert_eq!(
        Student::all(&[timeout])[0].total(),
        Total::Points { earned: points(1.0), possible: points(2.5) }
    );

    let mut hollow = of(Outcome::Passed);
    hollow.steps.clear();
    let mut claimed = of(Outcome::Passed);
    claimed.points.earned = Some(points(2.5));
    let mut unrun = of(Outcome::Passed);
    unrun.steps[1] = step(2, false, StepOutcome::NotRun);
    unrun.points = Graded::score(&unrun.steps);
    let mut cannot = of(Outcome::Cannot);
    cannot.points.earned = Some(points(2.5));
    for wrong in [hollow, claimed, unrun, cannot] {
        let results = [wrong];
        let written = written(&results);
        assert_eq!((&written.gradescope, &written.classroom50), (&None, &None));
        assert_eq!(written.prairielearn["gradable"], false);
        assert_eq!(written.autolab()["scores"]["ch02-unshare"], Value::Null);
        let students = Student::all(&results);
        let xml = junit::report(&students, Level::Full);
        assert!(!xml.contains("\"></testcase>") && !xml.contains("<failure"), "{xml}");
        assert!(csv::table(&students).contains(",,2.5,"));
        let columns = Columns { students: "a", points: "b", pattern: "{key}" };
        assert_eq!(fill(b"a,b\nalice,7", &students, &columns).unwrap().table, b"a,b\nalice,7");
    }

    // One chapter of a student has no result: the run was cut short, or a file is gone.
    let mut results = vec![of(Outcome::Passed)];
    results.push(graded("bob", "ch02-unshare", Outcome::Passed));
    results.push(graded("bob", "ch03-clone", Outcome::Passed));
    let students = Student::all(&results);
    assert_eq!(students[0].total(), Total::Open("there is no result of ch03-clone".into()));
    assert!(matches!(students[1].total(), Total::Points { .. }));
    assert!(csv::table(&students).contains("alice,ch03-clone,,,,,there is no result"));
    assert!(junit::report(&students, Level::Full).contains(
        "classname=\"alice.ch03-clone\" name=\"the program\" time=\"0.000\"><skipped message=\"there is no result\"/>"
    ));
}
