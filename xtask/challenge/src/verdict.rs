//! What a sight of the lab means for a challenge.

use crate::condition::{Condition, Subject, fits};
use crate::table::{Challenge, Wrong};
use crate::world::World;

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// With the processes, by their places in the world, that the goal speaks of.
    Done(Vec<usize>),
    /// Not so, and why is known.
    Wrong(&'a Wrong),
    NotYet,
}

/// Compares what was seen with what is asked for.
pub fn judge<'a>(challenge: &'a Challenge, world: &World) -> Verdict<'a> {
    if hold(&challenge.goal, world) {
        let of_processes = |condition: &&Condition| condition.of == Subject::Process;
        let conditions = challenge.goal.iter().filter(of_processes);
        let meant = conditions.flat_map(|condition| subjects(condition, world));
        let mut meant: Vec<usize> = meant.collect();
        meant.sort_unstable();
        meant.dedup();
        return Verdict::Done(meant);
    }
    let wrong = challenge.wrong.iter().find(|wrong| hold(&wrong.when, world));
    wrong.map_or(Verdict::NotYet, Verdict::Wrong)
}

fn hold(conditions: &[Condition], world: &World) -> bool {
    let mut conditions = conditions.iter();
    conditions
        .all(|condition| fits(&condition.many, &subjects(condition, world).count().to_string()))
}

/// The places of the subjects that have the facts of a condition; 0 for the lab and the shell.
fn subjects(condition: &Condition, world: &World) -> impl Iterator<Item = usize> {
    let seen = match condition.of {
        Subject::Lab => std::slice::from_ref(&world.lab),
        Subject::Shell => std::slice::from_ref(&world.shell),
        Subject::Process => &world.processes,
    };
    let seen = seen.iter().enumerate();
    seen.filter(|(_, facts)| condition.holds_for(facts)).map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::of_chapter;
    use crate::world::Facts;

    fn facts(facts: &[(&str, &str)]) -> Facts {
        facts.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn all_conditions_hold_at_once() {
        let text = r#"
            [[challenge]]
            name = "two"
            title = "Two"
            ask = "…"
            solution = "…"
            goal = [{ of = "lab", name = "lab" }, { name = "otter", many = "2" }]
            wrong = [{ when = [{ of = "lab", name = "not lab" }], say = "renamed", try = "…" }]
        "#;
        let challenges = of_chapter(text).unwrap();
        let judged = |lab: &str, names: &[&str]| {
            let processes = names.iter().map(|name| facts(&[("name", name)])).collect();
            let world = World { lab: facts(&[("name", lab)]), processes, ..World::default() };
            match judge(&challenges[0], &world) {
                Verdict::Done(meant) => format!("done {meant:?}"),
                Verdict::Wrong(wrong) => wrong.say.clone(),
                Verdict::NotYet => "not yet".to_owned(),
            }
        };
        assert_eq!(judged("lab", &[]), "not yet");
        assert_eq!(judged("lab", &["otter"]), "not yet");
        assert_eq!(judged("lab", &["otter", "badger", "otter"]), "done [0, 2]");
        assert_eq!(judged("lab", &["otter", "otter", "otter"]), "not yet");
        assert_eq!(judged("badger", &["otter", "otter"]), "renamed");
    }

    #[test]
    fn a_fact_that_could_not_be_read_fits_nothing() {
        let condition = Condition {
            of: Subject::Process,
            facts: vec![("host name".into(), "not lab".into())],
            many: ">= 1".into(),
        };
        let world = World { processes: vec![Facts::new()], ..World::default() };
        assert_eq!(subjects(&condition, &world).count(), 0);
    }
}
