//! The doctor's table of environments, as a page shows it.
//!
//! The table is `exercises/harness/src/doctor/environments.toml`, compiled into the harness, so the
//! page and `cargo xtask doctor` say the same.

use harness::doctor::{Environment, Proof, places};
use std::fmt::Write as _;

/// One section for each environment, in the table's order; its name is the anchor.
pub(crate) fn sections(environments: &[Environment]) -> String {
    let mut text = String::new();
    for environment in environments {
        write!(text, "{}", section(environment)).expect("a String takes all");
    }
    text
}

fn section(environment: &Environment) -> String {
    let Environment { name, title, weak, remedy, .. } = environment;
    let cause = without_facts(&environment.cause);
    let certain =
        if *weak { " This cannot be read off for certain: it stays a guess." } else { "" };
    format!(
        "### {title} {{#{name}}}\n\n\
         *You see* {}{}.\n\n\
         *Cause*: {cause}.{certain}\n\n\
         *Remedy*: {remedy}.\n\n\
         *Proof*: {}.\n\n",
        seen(environment),
        distinguishing_facts(environment),
        proof(environment),
    )
}

/// What is refused with which errno, in the order in which the doctor tries it. Calls that fail with
/// the same errnos stand together.
fn seen(environment: &Environment) -> String {
    let mut groups: Vec<(&[String], Vec<&str>)> = Vec::new();
    for (place, what) in places() {
        let when = environment.when.iter().find(|(at, _)| at == place);
        let Some((_, errnos)) = when else { continue };
        match groups.iter_mut().find(|(known, _)| known == errnos) {
            Some((_, whats)) => whats.push(what),
            None => groups.push((errnos, vec![what])),
        }
    }
    let groups = groups.iter().map(|(errnos, whats)| {
        // `UnknownErrno` stands for a call that succeeds where it must not.
        let errnos: Vec<_> = errnos.iter().map(|errno| errno.as_str()).collect();
        match errnos.as_slice() {
            ["UnknownErrno"] => format!("no error where one is due, at {}", whats.join(", ")),
            errnos => format!("{} at {}", errnos.join(" or "), whats.join(", ")),
        }
    });
    groups.collect::<Vec<_>>().join("; ")
}

/// The facts by which the doctor distinguishes this environment from others.
fn distinguishing_facts(environment: &Environment) -> String {
    let facts = environment.facts.iter().map(|(name, values)| {
        let values: Vec<_> = values.iter().map(|value| format!("`{value}`")).collect();
        format!("`{name}` is {}", values.join(" or "))
    });
    match facts.collect::<Vec<_>>() {
        none if none.is_empty() => String::new(),
        facts => format!("; among the doctor's facts {}", facts.join(", ")),
    }
}

fn proof(environment: &Environment) -> String {
    let sources = environment.source.split(", ").map(linked).collect::<Vec<_>>().join(", ");
    match &environment.proof {
        Proof::Tested(_) => {
            format!("tested, such a place is made and examined by the tests; {sources}")
        }
        Proof::Cited(_) => format!("cited, {sources}"),
    }
}

/// Turns `owner/repository#7` into a link to that issue, and leaves any other source as it is.
fn linked(source: &str) -> String {
    match source.split_once('#') {
        Some((repository, number)) if number.parse::<u32>().is_ok() => {
            format!("[{source}](https://github.com/{repository}/issues/{number})")
        }
        _ => source.to_owned(),
    }
}

/// The doctor puts facts about this machine in the place of `{fact}`; a page has an ellipsis there.
fn without_facts(text: &str) -> String {
    let mut parts = text.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| match part.split_once('}') {
        Some((_, rest)) => text + "…" + rest,
        None => text + "{" + part,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_section_with_all_its_parts() {
        let row = Environment {
            name: "masked".into(),
            title: "Parts are hidden".into(),
            when: vec![
                ("proc".into(), vec!["EPERM".into()]),
                ("map".into(), vec!["EPERM".into()]),
                ("setns".into(), vec!["EINVAL".into(), "EPERM".into()]),
            ],
            facts: vec![("proc".into(), vec!["masked".into(), "*sys*".into()])],
            weak: true,
            cause: "hidden are {proc_hides} here".into(),
            remedy: "`--privileged`".into(),
            proof: Proof::Cited("it takes one".into()),
            source: "proc(5), moby/moby#7".into(),
        };
        assert_eq!(
            sections(&[row]),
            "### Parts are hidden {#masked}\n\n\
             *You see* EPERM at its id maps, a fresh /proc; EINVAL or EPERM at entering a child's \
             namespaces; among the doctor's facts `proc` is `masked` or `*sys*`.\n\n\
             *Cause*: hidden are … here. This cannot be read off for certain: it stays a guess.\n\n\
             *Remedy*: `--privileged`.\n\n\
             *Proof*: cited, proc(5), [moby/moby#7](https://github.com/moby/moby/issues/7).\n\n"
        );
    }

    #[test]
    fn every_row_of_the_doctor_is_drawn() {
        let environments = harness::doctor::environments();
        let text = sections(&environments);
        for Environment { name, title, when, remedy, .. } in &environments {
            assert!(text.contains(&format!("### {title} {{#{name}}}\n")), "{name}");
            assert!(text.contains(&format!("*Remedy*: {remedy}.")), "{name}");
            for (at, _) in when {
                let what = places().find(|(place, _)| place == at).map(|(_, what)| what);
                assert!(what.is_some_and(|what| text.contains(what)), "{name}: {at}");
            }
        }
        assert_eq!(text.matches("### ").count(), environments.len());
        assert!(!text.contains("UnknownErrno"));
    }
}
