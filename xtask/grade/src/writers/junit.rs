//! JUnit XML, of which there is no standard. This is what GitLab and Jenkins read, as their documentation has
//! it (GitLab, "Unit test reports"; Jenkins, the JUnit plugin).
//!
//! GitLab drops a test whose `classname` and `name` another one has: a `classname` is `STUDENT.CHAPTER`. What
//! was not judged is `skipped`, with the reason as its `message`, which is what Jenkins shows; an `error` would
//! count as a failure there.

use std::fmt::Write as _;

use super::{Student, clean, earned, one_line, shown, title, why_open};
use crate::result::{Graded, Step, StepOutcome};
use crate::texts::{Level, step_in_lines};

/// The file.
pub fn report(students: &[Student], level: Level) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for student in students {
        for graded in student.programs.values() {
            suite(&mut xml, graded, level);
        }
        for chapter in &student.missing {
            let class = format!("{}.{chapter}", student.key);
            let case = Case::skipped("the program", "there is no result");
            write_suite(&mut xml, &class, &[case]);
        }
    }
    xml + "</testsuites>\n"
}

struct Case {
    name: String,
    seconds: f64,
    end: End,
}

enum End {
    Passed,
    Skipped { message: String },
    Failure { message: String, text: String },
}

impl Case {
    fn skipped(name: &str, message: &str) -> Case {
        let end = End::Skipped { message: message.to_owned() };
        Case { name: name.to_owned(), seconds: 0.0, end }
    }
}

fn suite(xml: &mut String, graded: &Graded, level: Level) {
    let is_judged = earned(graded).is_some();
    let mut cases: Vec<Case> = shown(graded)
        .map(|step| Case {
            name: title(step),
            seconds: step.seconds,
            end: if is_judged { end(graded, step, level) } else { open(graded, step) },
        })
        .collect();
    // A suite without a test would look as if nothing had been wrong.
    if cases.is_empty() {
        let (name, message) = ("the program".to_owned(), trouble(graded));
        let end = match is_judged {
            true => End::Failure { message, text: String::new() },
            false => End::Skipped { message: why_open(graded) },
        };
        cases.push(Case { name, seconds: 0.0, end });
    }
    write_suite(xml, &format!("{}.{}", graded.key, graded.chapter), &cases);
}

fn end(graded: &Graded, step: &Step, level: Level) -> End {
    let text = step_in_lines(step, level);
    match step.outcome {
        StepOutcome::Passed => End::Passed,
        StepOutcome::Failed if level == Level::Full && !step.mistake.is_empty() => {
            End::Failure { message: step.mistake.clone(), text }
        }
        StepOutcome::Failed => End::Failure { message: format!("not so: {}", step.name), text },
        StepOutcome::NotRun => End::Failure { message: trouble(graded), text },
        // A further step that counts for nothing.
        StepOutcome::Cannot | StepOutcome::Broken => open(graded, step),
    }
}

/// A step of a program that was not judged as a whole, or one that was not judged itself.
fn open(graded: &Graded, step: &Step) -> End {
    let of_step = match step.outcome {
        StepOutcome::Cannot => "the machine could not run it",
        StepOutcome::Broken => "the check broke",
        _ => return End::Skipped { message: why_open(graded) },
    };
    let cause =
        if step.outcome == StepOutcome::Cannot { one_line(&step.cause) } else { String::new() };
    let message = match cause.as_str() {
        "" => of_step.to_owned(),
        cause => format!("{of_step}: {cause}"),
    };
    End::Skipped { message }
}

fn trouble(graded: &Graded) -> String {
    let trouble = graded.trouble.as_ref().map(|trouble| one_line(&trouble.cause));
    trouble.unwrap_or_else(|| "it was not run".to_owned())
}

fn write_suite(xml: &mut String, class: &str, cases: &[Case]) {
    let count = |which: fn(&End) -> bool| cases.iter().filter(|case| which(&case.end)).count();
    let (failures, skipped) = (
        count(|end| matches!(end, End::Failure { .. })),
        count(|end| matches!(end, End::Skipped { .. })),
    );
    let class = escaped(class);
    _ = writeln!(
        xml,
        "  <testsuite name=\"{class}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">",
        cases.len()
    );
    for Case { name, seconds, end } in cases {
        let end = match end {
            End::Passed => String::new(),
            End::Skipped { message } => format!("<skipped message=\"{}\"/>", escaped(message)),
            End::Failure { message, text } => {
                format!("<failure message=\"{}\">{}</failure>", escaped(message), escaped(text))
            }
        };
        _ = writeln!(
            xml,
            "    <testcase classname=\"{class}\" name=\"{}\" time=\"{seconds:.3}\">{end}</testcase>",
            escaped(name)
        );
    }
    *xml += "  </testsuite>\n";
}

fn escaped(text: &str) -> String {
    let text = clean(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\n', "&#10;").replace('\t', "&#9;")
}
