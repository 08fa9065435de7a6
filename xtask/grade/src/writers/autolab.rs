//! What Autolab reads from an autograder: its output, whose last line is JSON with the scores. Read in
//! `app/helpers/assessment_autograde_core.rb` of autolab/Autolab (November 2026), whose traps are:
//!
//! * an output without scores gives a new submission 0 for each problem. A problem that was not judged has the
//!   score `null`, which leaves it ungraded;
//! * a word before a colon is put in quotes also where it is inside a text, so no text is in the last line;
//! * each score needs a problem of its name. It is the chapter's.

use serde_json::{Map, Value, json};

use super::{Student, earned, in_lines, shown, title};
use crate::texts::{Level, step_in_lines};

/// The output. All but the last line is for people.
pub fn output(student: &Student, level: Level) -> String {
    let mut text = String::new();
    let mut scores = Map::new();
    for (chapter, graded) in &student.programs {
        text += &format!("{}\n", in_lines(graded, level));
        for step in shown(graded) {
            let lines = super::clean(&step_in_lines(step, level));
            text += &format!("{}: {}\n", title(step), lines.trim_end());
        }
        scores.insert((*chapter).to_owned(), json!(earned(graded)));
    }
    for chapter in &student.missing {
        scores.insert((*chapter).to_owned(), Value::Null);
    }
    // An earlier score of a problem that was not judged stays, if only there is another one.
    if scores.values().any(|score| !score.is_null()) {
        scores.retain(|_, score| !score.is_null());
    }
    format!("{text}{}\n", json!({ "scores": scores }))
}

/// The last line of an output that judges nothing: each of these problems stays ungraded.
pub fn nothing(chapters: &[&str]) -> Value {
    let scores: Map<_, _> = chapters.iter().map(|it| ((*it).to_owned(), Value::Null)).collect();
    json!({ "scores": scores })
}
