//! All probes and all facts of this machine.

use super::advice::{self, Advice};
use super::facts::Facts;
use lab::probe::{self, EVERY, Probe};
use lab::sandbox::Refusal;
use lab::sandbox::{Sandbox, WITNESS};

/// What was found out about this machine.
#[derive(Clone, Debug)]
pub struct Examination {
    pub facts: Facts,
    pub findings: Vec<Finding>,
}

/// One thing that was tried.
#[derive(Clone, Debug)]
pub struct Finding {
    pub name: &'static str,
    /// In words.
    pub what: &'static str,
    /// The chapters that need it.
    pub chapters: &'static [u32],
    pub answer: Answer,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    Works,
    Refused(Refusal, Advice),
    /// Refused, but the course does without it. It came with this version of Linux.
    Newer(Refusal, &'static str),
    /// Something that it needs was refused: the name of that probe.
    NotTried(String),
}

/// Tries everything, one thing after the other, which takes some hundredths of a second.
pub fn examine() -> Examination {
    let facts = Facts::read();
    let mut findings: Vec<Finding> = Vec::new();
    for probe in &probe::ALL {
        let found = finding(probe, &facts, &findings);
        findings.push(found);
    }
    findings.push(sandbox(&facts));
    Examination { facts, findings }
}

/// `before` are the findings so far. What another probe needs was refused there, too, as a rule. If it worked
/// there, this probe's refusal is told, because nothing else is.
fn finding(probe: &Probe, facts: &Facts, before: &[Finding]) -> Finding {
    let was_refused = |refusal: &Refusal| {
        let other = before.iter().find(|finding| finding.name == refusal.at);
        other.is_some_and(|other| other.answer != Answer::Works)
    };
    let answer = match (probe.ask(), probe.newer) {
        (Ok(()), _) => Answer::Works,
        (Err(refusal), _) if was_refused(&refusal) => Answer::NotTried(refusal.at),
        (Err(refusal), Some(since)) => Answer::Newer(refusal, since),
        (Err(refusal), None) => {
            let advice = advice::of(&refusal, facts);
            Answer::Refused(refusal, advice)
        }
    };
    Finding { name: probe.name, what: probe.what, chapters: probe.chapters, answer }
}

/// Tries a whole sandbox, as every check starts it.
fn sandbox(facts: &Facts) -> Finding {
    let answer = match Sandbox::command(WITNESS).start() {
        Ok(_run) => Answer::Works,
        Err(refusal) => {
            let advice = advice::of(&refusal, facts);
            Answer::Refused(refusal, advice)
        }
    };
    Finding { name: "sandbox", what: "a whole sandbox", chapters: EVERY, answer }
}

impl Examination {
    /// Whether nothing that this chapter needs was refused.
    pub fn can_check(&self, chapter: u32) -> bool {
        self.findings.iter().all(|finding| match finding.answer {
            Answer::Works | Answer::Newer(..) => true,
            Answer::Refused(..) | Answer::NotTried(_) => !finding.chapters.contains(&chapter),
        })
    }

    pub fn finding(&self, name: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.name == name)
    }
}
