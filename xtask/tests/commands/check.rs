//! What `check` makes of a verdict.

use std::process::Stdio;

use assert_cmd::cargo::cargo_bin;
use harness::report::{Excerpt, Line};
use harness::verdict::{Diagnosis, Outcome, Verdict};

use crate::checkout::{Checkout, not_unshared, verdict};

/// A checkout whose first chapter fails at its second step.
fn failing(test: &str) -> Checkout {
    let checkout = Checkout::new(test);
    let failed = Verdict {
        asked: "It leaves. If it does not, it was never asked to.".into(),
        line: 9,
        stdout: "all <good> & \"well\" \x1b[2J".into(),
        diagnosis: Some(Diagnosis {
            mistake: "nothing was left".into(),
            cause: "It stayed.".into(),
            remedy: "Leave.".into(),
            see: "leave".into(),
        }),
        ..not_unshared()
    };
    checkout.verdict("ch01-one", "step2_it_leaves", &failed);
    checkout
}

fn line(key: &str, value: &str) -> Line {
    Line { key: key.into(), value: value.into() }
}

#[test]
fn a_chapter_is_solved_and_the_next_one_is_the_default() {
    let checkout = Checkout::new("solved");
    let (code, out, err) = checkout.run("check");
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(
        out,
        "ch01-one\n  ok      step 1: it runs\n  ok      step 2: it leaves\n  \
         ok      step 3: its status is passed on\n\n\
         solved; `cargo xtask diff ch1` shows it beside the solution\n\
         next: `cargo xtask check ch2`\n"
    );
    assert!(checkout.run("check").1.starts_with("ch02-two\n"));
    let (code, out, _) = checkout.run("check");
    assert_eq!(code, 0);
    assert!(out.starts_with("every chapter is solved"), "{out}");
    assert_eq!(
        checkout.run("check --json").1,
        "{\"schema\":1,\"passed\":0,\"failed\":0,\"cannot\":0}\n"
    );
}

#[test]
fn what_could_not_be_looked_at_is_said() {
    let checkout = Checkout::new("skipped");
    let skipped = vec![line("uptime", "this kernel has no time namespaces")];
    let passed = Verdict { skipped, ..verdict(Outcome::Passed) };
    checkout.verdict("ch01-one", "step2_it_leaves", &passed);
    let (code, out, _) = checkout.run("check ch1");
    assert_eq!(code, 0);
    let said = "  ok      step 2: it leaves\n          skipped: uptime: this kernel has no time namespaces\n";
    assert!(out.contains(said), "{out}");
    let json = checkout.run("check --json ch1").1;
    assert!(json.contains("\"skipped\":\"uptime: this kernel has no time namespaces\""), "{json}");
}

#[test]
fn the_first_failure_is_explained() {
    let checkout = failing("explained");
    checkout.write("exercises/ch01-one/src/main.rs", "fn main() { /* an attempt */ }\n");
    let (code, out, err) = checkout.run("check ch1");
    assert_eq!((code, err.as_str()), (1, ""));
    assert_eq!(
        out,
        r#"ch01-one
  ok      step 1: it runs
  FAIL    step 2: it leaves

asked
  It leaves. If it does not, it was never asked to.

what the kernel saw
         |          user  mnt  pid  net  uts  ipc  cgroup  time
         | lab      A     A    A    A    A    A    A       A
  saw    | COMMAND  A     A    A    A    A    A    A       A
  wanted | COMMAND  A     A    A    A    B    A    A       A
         |                               ^

your program | all <good> & "well" 

this looks like: nothing was left
  It stayed.
help: Leave.

edit   exercises/ch01-one/src/main.rs
check  exercises/ch01-one/tests/check.rs:9
read   book/src/ch01-one.md#leave
       (`cargo xtask book --open` shows it as a page)
"#
    );
}

#[test]
fn a_diagnosis_may_point_into_another_page_of_its_chapter() {
    let checkout = failing("other-page");
    let mut verdict = not_unshared();
    for (see, read) in [
        ("leave", "read   book/src/ch01-one.md#leave\n"),
        ("ch01-maps.md#deny", "read   book/src/ch01-maps.md#deny\n"),
        ("", "read   book/src/ch01-one.md\n"),
    ] {
        verdict.diagnosis = Some(Diagnosis { see: see.into(), ..Diagnosis::default() });
        checkout.verdict("ch01-one", "step2_it_leaves", &verdict);
        let out = checkout.run("check ch1").1;
        assert!(out.contains(read), "{out}");
    }
}

#[test]
fn two_verdicts_are_never_mixed() {
    let checkout = failing("recorded");
    checkout.write("exercises/ch01-one/src/main.rs", "fn main() { /* an attempt */ }\n");
    let first = checkout.run("check ch1").1;
    assert!(first.contains("this looks like: nothing was left"), "{first}");
    let diagnosis = |mistake: &str| {
        let mistake = mistake.into();
        Some(Diagnosis { mistake, cause: "A cause.".into(), ..Diagnosis::default() })
    };
    let pointer = Some("look at call 1".to_owned());
    let recorded = |verdict: Verdict| {
        checkout.verdict("ch01-one", "step2_it_leaves-recorded", &verdict);
        checkout.run("check ch1").1
    };
    // Another run saw something else, or passed.
    let other = Verdict {
        saw: Excerpt::read("COMMAND: never started"),
        diagnosis: diagnosis("another"),
        pointer: pointer.clone(),
        ..not_unshared()
    };
    assert_eq!(recorded(other.clone()), first);
    assert_eq!(recorded(Verdict { outcome: Outcome::Passed, ..other }), first);
    // The same failure, with a closer look: the calls do not prove the mistake, or they prove another.
    let shown = recorded(Verdict { pointer: pointer.clone(), ..not_unshared() });
    assert!(!shown.contains("this looks like:"), "{shown}");
    assert!(shown.contains("in its trace: look at call 1\n"), "{shown}");
    let closer = Verdict { diagnosis: diagnosis("the call failed"), pointer, ..not_unshared() };
    let shown = recorded(closer);
    assert!(shown.contains("this looks like: the call failed\n  A cause."), "{shown}");
    assert!(shown.contains("in its trace: look at call 1\n"), "{shown}");
}

#[test]
fn an_untouched_stub_is_expected_to_fail() {
    let (code, out, _) = failing("untouched").run("check one");
    assert_eq!(code, 1);
    assert!(out.contains("it is meant to fail; begin here:\n"), "{out}");
    assert!(out.contains("\n  line 3: do it. Man page: unshare(2).\n"), "{out}");
}

#[test]
fn a_machine_reads_every_step() {
    let checkout = failing("machine");
    let file = checkout.root.join("result.xml");
    let (code, out, err) = checkout.run(&format!("check 1 --json --junit {}", file.display()));
    assert_eq!((code, err.as_str()), (1, ""));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 4, "{out}");
    let failed = concat!(
        r#"{"schema":1,"chapter":"ch01-one","step":2,"further":false,"name":"it leaves","outcome":"failed","#,
        r#""wanted":"         user  mnt  pid  net  uts  ipc  cgroup  time\n"#,
        r#"lab      A     A    A    A    A    A    A       A\n"#,
        r#"COMMAND  A     A    A    A    B    A    A       A","#,
        r#""saw":"         user  mnt  pid  net  uts  ipc  cgroup  time\n"#,
        r#"lab      A     A    A    A    A    A    A       A\n"#,
        r#"COMMAND  A     A    A    A    A    A    A       A","#,
        r#""stdout":"all <good> & \"well\" \u001b[2J","stderr":"","#,
        r#""mistake":"nothing was left","cause":"It stayed.","remedy":"Leave.","pointer":"","skipped":"","seconds":"#
    );
    assert!(lines[1].starts_with(failed), "{}", lines[1]);
    assert!(lines[2].contains(r#""step":3"#) && lines[2].contains(r#""outcome":"passed""#));
    assert_eq!(lines[3], r#"{"schema":1,"passed":0,"failed":1,"cannot":0}"#);

    let xml = checkout.read("result.xml");
    let suite = r#"<testsuite name="ch01-one" tests="3" failures="1" errors="0" skipped="0">"#;
    assert!(xml.contains(suite), "{xml}");
    assert!(xml.contains(r#"<failure message="nothing was left">wanted:&#10;"#), "{xml}");
    assert!(xml.contains("all &lt;good&gt; &amp; &quot;well&quot; \u{fffd}[2J"), "{xml}");
}

#[test]
fn a_check_that_compared_nothing_has_not_passed() {
    let checkout = Checkout::new("nothing");
    // The script ends with status 0 all the same.
    std::fs::remove_file(checkout.root.join("exercises/ch01-one/step1_it_runs")).unwrap();
    let (code, out, _) = checkout.run("check ch1");
    assert_eq!(code, 1);
    assert!(out.contains("  broken  step 1"), "{out}");
    assert!(out.contains("check | the check ended with status 0 and without a verdict"), "{out}");

    let script = checkout.read("check");
    checkout.script("check", &script.replace("cat", "kill -9 $$; cat"));
    assert!(checkout.run("check ch2").1.contains("check | the check was killed by signal 9"));
    // A verdict alone does not do either.
    checkout.script(
        "check",
        &script.replace("passed\"' \"$verdict\" && exit 0", "passed\"' \"$verdict\" && exit 1"),
    );
    assert_eq!(checkout.run("check ch2").0, 1);
    assert!(checkout.run("list").1.contains("not started"));
}

#[test]
fn a_machine_that_cannot_is_no_verdict() {
    let checkout = Checkout::new("cannot");
    let (cause, remedy) = ("A switch forbids it.".into(), "Turn it.".into());
    let cannot = Verdict {
        refused: "unshare: EPERM".into(),
        diagnosis: Some(Diagnosis { cause, remedy, ..Diagnosis::default() }),
        ..verdict(Outcome::Cannot)
    };
    checkout.verdict("ch01-one", "step1_it_runs", &cannot);
    let (code, out, _) = checkout.run("check ch1");
    assert_eq!(code, 3);
    assert!(out.contains("this machine cannot check it"), "{out}");
    assert!(out.contains("A switch forbids it."), "{out}");
    // Where another chapter fails, that is what counts.
    checkout.verdict("ch02-two", "step1_it_runs", &verdict(Outcome::Failed));
    let (code, out, _) = checkout.run("check --all --json");
    assert_eq!(code, 1);
    assert!(out.ends_with("{\"schema\":1,\"passed\":0,\"failed\":1,\"cannot\":1}\n"), "{out}");
}

#[test]
fn the_compiler_speaks_for_itself() {
    let checkout = Checkout::new("compiler");
    let cargo = "#!/bin/sh\necho 'error: expected `;`\n --> src/main.rs:3:5' >&2\n\
                 echo 'error: could not compile `ch01-one`' >&2\nexit 101\n";
    checkout.script("cargo", cargo);
    let (code, out, err) = checkout.run("check ch1");
    assert_eq!(code, 1);
    assert_eq!(out, "", "the compiler has said it all");
    assert!(err.starts_with("error: expected `;`\n --> src/main.rs:3:5\n"), "{err}");
    let (_, out, _) = checkout.run("check ch1 --json");
    assert!(
        out.contains(r#""step":0,"further":false,"name":"it compiles","outcome":"failed""#),
        "{out}"
    );
    assert!(checkout.run("list").1.contains("not started"));
}

#[test]
fn a_build_that_fails_elsewhere_is_not_the_programs_fault() {
    let checkout = Checkout::new("elsewhere");
    let cargo = "#!/bin/sh\necho 'error: linker `cc` not found' >&2\n\
                 echo 'error: could not compile `libc`' >&2\nexit 101\n";
    checkout.script("cargo", cargo);
    let (code, out, err) = checkout.run("check --all --json");
    assert_eq!(code, 3);
    assert!(err.contains("error: there is no C compiler"), "{err}");
    assert!(err.contains("help: install one"), "{err}");
    assert!(
        out.contains(r#""step":0,"further":false,"name":"it compiles","outcome":"cannot""#),
        "{out}"
    );
    assert!(out.ends_with("{\"schema\":1,\"passed\":0,\"failed\":0,\"cannot\":1}\n"), "{out}");

    let output = checkout.xtask("check ch1").env("CARGO", "/nowhere/cargo").output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.contains("could not start cargo") && err.contains("https://rustup.rs"), "{err}");
}

#[test]
fn another_cargo_is_waited_for_aloud() {
    let checkout = Checkout::new("lock");
    let cargo = checkout.read("cargo").replacen(
        "here=",
        "echo '    Blocking waiting for file lock on build directory' >&2\nhere=",
        1,
    );
    checkout.script("cargo", &cargo);
    let (code, _, err) = checkout.run("check ch1");
    assert_eq!(code, 0);
    assert_eq!(err, "note: another cargo is at work; waiting for file lock on build directory\n");
}

#[test]
fn the_exit_status_counts_without_a_reader() {
    let checkout = failing("closed");
    for (chapter, expected) in [("ch1", 1), ("ch2", 0)] {
        let mut child = std::process::Command::new(cargo_bin!("xtask"))
            .args(["check", chapter])
            .env("NAMESPACES_BY_HAND_ROOT", &checkout.root)
            .env("CARGO", checkout.root.join("cargo"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(expected), "{chapter}");
    }
}

/// What a program can put into a name. A screen would be cleared, and told what to show.
const PAINT: &str = "\x1b[2J\x1b]0;title\x07\r\u{9b}31m\u{7f}\u{202e}";

fn acts(character: char) -> bool {
    character.is_control() || character == '\u{202e}'
}

#[test]
fn a_program_cannot_paint_the_screen() {
    let checkout = Checkout::new("paint");
    checkout.write("exercises/ch01-one/src/main.rs", "fn main() { /* an attempt */ }\n");
    let keys = ["saw", "wanted", "stdout", "stderr", "mistake", "cause", "remedy", "pointer"];
    let [saw, wanted, stdout, stderr, mistake, cause, remedy, pointer] =
        keys.map(|key| format!("{key}{PAINT} and a  row{PAINT}\n{key}\n{PAINT}solved"));
    let excerpt = |value: &str| Excerpt { table: None, lines: vec![line("seen", value)] };
    let painting = Verdict {
        outcome: Outcome::Failed,
        saw: excerpt(&saw),
        wanted: excerpt(&wanted),
        stdout,
        stderr,
        diagnosis: Some(Diagnosis { mistake, cause, remedy, see: String::new() }),
        pointer: Some(pointer),
        refused: PAINT.into(),
        skipped: vec![line(PAINT, PAINT)],
        ..Verdict::default()
    };
    checkout.verdict("ch01-one", "step2_it_leaves", &painting);
    let failed = checkout.run("check ch1").1;
    assert!(keys.iter().all(|key| failed.contains(key)), "{failed}");
    let xml = checkout.root.join("result.xml");
    let json = checkout.run(&format!("check ch1 --json --junit {}", xml.display())).1;
    assert!(json.contains("\\r\\u009b31m\\u007f\\u202e"), "{json}");
    let xml = checkout.read("result.xml");
    assert!(xml.contains("\u{fffd}\u{fffd}31m"), "{xml}");

    let cannot = Verdict { outcome: Outcome::Cannot, ..painting };
    checkout.verdict("ch01-one", "step1_it_runs", &cannot);
    let cannot = checkout.run("check ch1").1;
    assert!(cannot.contains("remedy"), "{cannot}");
    let script =
        checkout.read("check").replace("[ -e", &format!("printf '%s' '{PAINT}'; exit\n[ -e"));
    checkout.script("check", &script);
    let broken = checkout.run("check ch1").1;
    assert!(broken.contains("check | "), "{broken}");
    for text in [failed, json, xml, cannot, broken] {
        assert!(!text.chars().any(|c| acts(c) && c != '\n'), "{text:?}");
    }
}

/// A checkout whose check has a fourth step, which goes further.
fn going_further(test: &str, outcome: Outcome) -> Checkout {
    let checkout = Checkout::new(test);
    let listed = "step3_its_status_is_passed_on";
    let more = format!("{listed} further4_two_at_once");
    checkout.script("check", &checkout.read("check").replacen(listed, &more, 1));
    checkout.verdict("ch01-one", "further4_two_at_once", &verdict(outcome));
    checkout
}

#[test]
fn a_chapter_is_solved_without_what_goes_further() {
    let checkout = going_further("further", Outcome::Failed);
    let state = || checkout.run("list").1.lines().next().unwrap()[23..].to_owned();
    let (code, out, _) = checkout.run("check ch1");
    assert_eq!(code, 0);
    assert!(!out.contains("two at once"), "{out}");
    assert!(out.contains("\nfurther: one more step, `cargo xtask check ch1 --further`\n"), "{out}");
    assert_eq!(state(), "solved");

    let (code, out, _) = checkout.run("check ch1 --further");
    assert_eq!(code, 1);
    assert!(out.contains("\n  FAIL    further step 4: two at once\n"), "{out}");
    assert_eq!(state(), "solved");
    let json = checkout.run("check ch1 --further --json").1;
    assert!(
        json.contains(r#""step":4,"further":true,"name":"two at once","outcome":"failed""#),
        "{json}"
    );
    assert!(!checkout.run("check ch1 --json").1.contains("two at once"));

    checkout.verdict("ch01-one", "further4_two_at_once", &verdict(Outcome::Passed));
    let (code, out, _) = checkout.run("check ch1 --further");
    assert_eq!(code, 0);
    assert!(
        out.ends_with("  ok      further step 4: two at once\n\nsolved, and further\n"),
        "{out}"
    );
    assert_eq!(state(), "solved, and further");
    // That is known until the program changes.
    assert!(!checkout.run("check ch1").1.contains("one more step"));
    assert_eq!(state(), "solved, and further");
}

#[test]
fn what_goes_further_is_not_run_before_the_chapter_is_solved() {
    let checkout = going_further("further-unsolved", Outcome::Passed);
    checkout.verdict("ch01-one", "step2_it_leaves", &verdict(Outcome::Failed));
    let (code, out, _) = checkout.run("check ch1 --further");
    assert_eq!(code, 1);
    assert!(!out.contains("two at once"), "{out}");
    // A machine reads every step.
    assert!(checkout.run("check ch1 --further --json").1.contains(r#""step":4,"further":true"#));
}
