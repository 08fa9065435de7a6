//! What people read of a result: the student, and the teacher. Both are made of the result alone.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use crate::result::{Graded, Outcome, Step, StepOutcome};

/// How much a student is told.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Everything that `cargo xtask check` tells.
    #[default]
    Full,
    /// What the student's own program did and printed: neither what was wanted nor the cause.
    Own,
    /// Only which steps passed.
    Kind,
}

impl Level {
    pub const ALL: [Level; 3] = [Level::Full, Level::Own, Level::Kind];

    /// As the command line has it.
    pub fn word(self) -> &'static str {
        match self {
            Level::Full => "full",
            Level::Own => "own",
            Level::Kind => "kind",
        }
    }
}

/// The student's text, as Markdown.
pub fn feedback(graded: &Graded, level: Level) -> String {
    let mut text = format!("# {}\n\n{}\n", graded.chapter, headline(graded));
    if let Some(trouble) = &graded.trouble {
        _ = write!(text, "\n{}\n", sentence(&trouble.cause));
        if level != Level::Kind {
            if !trouble.remedy.is_empty() {
                _ = writeln!(text, "What to do: {}", sentence(&trouble.remedy));
            }
            if graded.outcome == Outcome::NotBuilt {
                fenced(&mut text, &trouble.said);
            }
        }
    }
    for step in &graded.steps {
        let further = if step.further { "further " } else { "" };
        let head = format!("{further}step {}: {}", step.step, step.name);
        _ = write!(text, "\n## {head}\n\n{}\n", in_words(step));
        if level != Level::Kind {
            details(&mut text, step, level);
        }
    }
    text
}

/// The teacher's text: everything.
pub fn log(graded: &Graded) -> String {
    let mut text = feedback(graded, Level::Full);
    let provenance = &graded.provenance;
    text += "\n## for the teacher\n\n";
    for (name, value) in [
        ("handed in as", provenance.submission.name.as_str()),
        ("from", &provenance.submission.time),
        ("digest", &provenance.submission.digest),
        ("graded", &provenance.graded),
        ("course", &provenance.course.revision),
        ("checks", &provenance.course.digest),
        ("toolchain", &provenance.toolchain),
        ("kernel", &provenance.kernel),
        ("doctor", &provenance.doctor),
    ] {
        _ = writeln!(text, "* {name}: {}", if value.is_empty() { "unknown" } else { value });
    }
    let seconds = graded.seconds;
    _ = writeln!(text, "* seconds: {} to build, {} to check", seconds.build, seconds.check);
    let limits: Vec<_> = graded.limits.iter().map(|limit| limit.word()).collect();
    if !limits.is_empty() {
        _ = writeln!(text, "* limits reached: {}", limits.join(", "));
    }
    if let Some(trouble) = graded.trouble.as_ref().filter(|_| graded.outcome != Outcome::NotBuilt) {
        fenced(&mut text, &trouble.said);
    }
    text
}

/// With a full stop, which some causes have and others have not.
fn sentence(text: &str) -> String {
    format!("{}.", text.trim_end_matches('.'))
}

/// The outcome and the points in one line.
pub fn headline(graded: &Graded) -> String {
    let what = match graded.outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::Cannot => "not judged, because the machine could not run it: this costs nothing",
        Outcome::Broken => "not judged, because the check broke: this costs nothing",
        Outcome::NotBuilt => "it does not compile",
        Outcome::Invalid => "it cannot be graded",
    };
    match graded.points.earned {
        Some(earned) => format!("{what}; {earned} of {} points", graded.points.possible),
        None => what.to_owned(),
    }
}

fn in_words(step: &Step) -> String {
    let what = match step.outcome {
        StepOutcome::Passed => "passed",
        StepOutcome::Failed => "failed",
        StepOutcome::Cannot => "not judged: the machine could not run it",
        StepOutcome::Broken => "not judged: the check broke",
        StepOutcome::NotRun => "not run",
    };
    match step.points.earned {
        Some(earned) if step.points.possible != crate::points::Points::ZERO => {
            format!("{what}; {earned} of {}", step.points.possible)
        }
        _ => what.to_owned(),
    }
}

fn details(text: &mut String, step: &Step, level: Level) {
    for (title, value) in parts(step, level) {
        match title {
            "" => _ = write!(text, "\n{value}\n"),
            title => {
                _ = write!(text, "\n{title}:\n");
                fenced(text, value);
            }
        }
    }
}

/// The same as plain text, for systems that show no Markdown.
pub fn step_in_lines(step: &Step, level: Level) -> String {
    let mut lines = format!("{}\n", in_words(step));
    if level != Level::Kind {
        for (title, value) in parts(step, level) {
            let title = if title.is_empty() { String::new() } else { format!("{title}:\n") };
            _ = write!(lines, "\n{title}{}\n", value.trim_end());
        }
    }
    lines
}

/// What is said of a step that was run: titles and texts, of which prose has no title.
fn parts(step: &Step, level: Level) -> Vec<(&str, &str)> {
    if step.outcome == StepOutcome::Passed || step.outcome == StepOutcome::NotRun {
        return Vec::new();
    }
    let mut parts = Vec::new();
    if level == Level::Full {
        parts.push(("wanted", step.wanted.as_str()));
    }
    // Of a check that broke, only the teacher has the words.
    if step.outcome != StepOutcome::Broken {
        parts.push(("saw", &step.saw));
    }
    parts.push(("the program's output", &step.stdout));
    parts.push(("the program's error output", &step.stderr));
    if level == Level::Full {
        parts.push(("the call", &step.call));
        parts.push(("", &step.cause));
        parts.push(("", &step.remedy));
    }
    if step.unsteady {
        parts.push(("", "Two runs of this step differed. What two of three runs said counts."));
    }
    parts.retain(|(_, value)| !value.is_empty());
    parts
}

/// A block of text that no line of it can end.
fn fenced(text: &mut String, content: &str) {
    if content.is_empty() {
        return;
    }
    let longest = content.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    _ = write!(text, "\n{fence}text\n{}\n{fence}\n", content.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::points::Points;
    use crate::result::{SCHEMA, Score, Seconds, Trouble};

    fn graded(outcome: Outcome) -> Graded {
        let score = Score { earned: Some(Points::ZERO), possible: Points::ONE };
        let step = Step {
            step: 1,
            further: false,
            name: "command has a uts namespace of its own".into(),
            outcome: StepOutcome::Failed,
            points: score,
            wanted: "WANTED".into(),
            saw: "SAW".into(),
            stdout: "PRINTED ``` that".into(),
            stderr: String::new(),
            mistake: "MISTAKE".into(),
            cause: "CAUSE".into(),
            remedy: "REMEDY".into(),
            call: "CALL".into(),
            skipped: String::new(),
            unsteady: false,
            seconds: 0.1,
        };
        Graded {
            schema: SCHEMA,
            key: "alice".into(),
            chapter: "ch02-unshare".into(),
            outcome,
            points: score,
            trouble: None,
            steps: vec![step],
            limits: vec![],
            seconds: Seconds::default(),
            provenance: Default::default(),
        }
    }

    #[test]
    fn each_level_tells_less() {
        let told = |level| {
            let text = feedback(&graded(Outcome::Failed), level);
            let words = ["WANTED", "CAUSE", "REMEDY", "CALL", "SAW", "PRINTED", "failed; 0 of 1"];
            words.into_iter().filter(|word| text.contains(word)).collect::<Vec<_>>()
        };
        assert_eq!(told(Level::Full).len(), 7);
        assert_eq!(told(Level::Own), ["SAW", "PRINTED", "failed; 0 of 1"]);
        assert_eq!(told(Level::Kind), ["failed; 0 of 1"]);
    }

    #[test]
    fn no_output_ends_its_block() {
        assert!(
            feedback(&graded(Outcome::Failed), Level::Own)
                .contains("\n````text\nPRINTED ``` that\n````\n")
        );
    }

    #[test]
    fn what_a_machine_said_is_for_the_teacher() {
        let mut graded = graded(Outcome::Cannot);
        graded.points.earned = None;
        graded.trouble = Some(Trouble {
            cause: "REFUSED".into(),
            said: "INTERNAL".into(),
            ..Trouble::default()
        });
        let text = feedback(&graded, Level::Full);
        assert!(text.contains("this costs nothing") && !text.contains("INTERNAL"), "{text}");
        assert!(log(&graded).contains("INTERNAL"));
    }
}
