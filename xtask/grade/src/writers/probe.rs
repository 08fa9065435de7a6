//! What the doctor finds on a system that grades, in the format of that system: a package that runs this alone
//! shows to a teacher whether programs can be checked there, before a student hands anything in.

use serde_json::{Value, json};

use super::{clean, one_line};
use crate::points::Points;

/// What one machine allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// Each chapter, and whether it can be checked there.
    pub chapters: Vec<(String, bool)>,
    /// What is refused: the call, why, and what to change, in lines.
    pub refused: Vec<String>,
}

impl Probed {
    fn can(&self) -> usize {
        self.chapters.iter().filter(|(_, can)| *can).count()
    }

    fn headline(&self) -> String {
        match (self.can(), self.chapters.len()) {
            (can, all) if can == all => "Every chapter can be checked here.".to_owned(),
            (0, _) => "No chapter can be checked here.".to_owned(),
            (can, all) => format!("{can} of {all} chapters can be checked here."),
        }
    }

    fn text(&self) -> String {
        let refused = self.refused.iter().map(|refused| clean(refused));
        std::iter::once(self.headline()).chain(refused).collect::<Vec<_>>().join("\n\n")
    }

    /// For each chapter its name, whether it can be checked, and what is said of it.
    fn tests(&self) -> impl Iterator<Item = (String, bool, &'static str)> {
        self.chapters.iter().map(|(chapter, can)| {
            let said = if *can { "it can be checked here" } else { "it cannot be checked here" };
            (one_line(chapter), *can, said)
        })
    }
}

/// As [`gradescope::results`](super::gradescope::results): a point for each chapter.
pub fn gradescope(probed: &Probed) -> Value {
    let tests = probed.tests().map(|(chapter, can, said)| {
        json!({
            "name": chapter,
            "score": u32::from(can),
            "max_score": 1,
            "status": if can { "passed" } else { "failed" },
            "output": said,
        })
    });
    json!({
        "score": probed.can(),
        "output": probed.text(),
        "output_format": "text",
        "stdout_visibility": "visible",
        "tests": tests.collect::<Vec<_>>(),
    })
}

/// As [`prairielearn::results`](super::prairielearn::results).
pub fn prairielearn(probed: &Probed) -> Value {
    let points = |count: usize| Points::new(count as f64).unwrap_or_default();
    let share = points(probed.can()).share_of(points(probed.chapters.len()));
    let tests = probed.tests().map(|(chapter, can, said)| {
        json!({
            "name": chapter,
            "description": said,
            "points": u32::from(can),
            "max_points": 1,
            "message": said,
            "output": "",
        })
    });
    json!({
        "gradable": true,
        "score": share.unwrap_or(0.0),
        "message": probed.headline(),
        "output": probed.text(),
        "tests": tests.collect::<Vec<_>>(),
    })
}
