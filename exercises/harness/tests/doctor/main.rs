//! The doctor in environments that forbid something. The test binary starts itself again, sets the
//! environment up in that process, and runs the doctor and a sandbox there.

#[macro_use]
#[path = "../../../lab/tests/common/skip.rs"]
mod skip;

mod staged;

use std::sync::Mutex;

use harness::doctor::{Environment, Meaning, Proof, Staged, environments, meanings};
use staged::{Seen, in_environment};

/// What is seen in `environment`, or `None` if it cannot be set up here.
fn seen_in(environment: &str) -> Option<Seen> {
    match in_environment(environment) {
        Ok(seen) => Some(seen),
        Err(reason) => {
            let what = format!("the environment `{environment}` cannot be set up here: {reason}");
            if environment.starts_with("proc hidepid") {
                skip!(OneId: "{what}");
            } else if reason.starts_with("it needs Linux ") {
                skip!(Kernel: "{what}");
            } else {
                skip!("{what}");
            }
            None
        }
    }
}

/// Asserts that something is refused in a stage at the place and with the errno of the table, and that
/// the doctor names the table's row (none, if the stage is about the meaning of an errno) with its
/// cause and remedy, in which the facts of this machine are filled in.
///
/// If the sandbox is refused, the doctor's own attempt must give the same answer, and a check must
/// report that the program has not run: neither "passed" nor "failed".
///
/// # Errors
///
/// What was seen instead.
fn look(staged: &Staged, row: Option<&str>) -> Result<(), String> {
    let Some(seen) = seen_in(&staged.stage) else { return Ok(()) };
    let sandbox = seen.sandbox();
    let [at, errno, named] = sandbox.clone().unwrap_or_else(|| seen.doctor());
    let fits = |wanted: &str, was: &str| wanted == "*" || wanted == was;
    let verdict = "could not check: this machine refused the sandbox (your program has not run)";
    let cause = seen.value("cause");
    let advice = ["cause", "help"].map(|name| match sandbox {
        Some(_) => seen.value(name).unwrap_or_default(),
        None => seen.value(&format!("doctor {name}")).unwrap_or_default(),
    });
    let right = fits(&staged.at, &at)
        && in_the_words_of(&named, &errno, advice)
        && fits(&staged.errno, &errno)
        && is_named(row, &named)
        && (sandbox.is_none() || seen.value("verdict") == Some(verdict))
        // The sandbox can fail with an errno that none of the doctor's attempts has.
        && (sandbox.is_none()
            || row.is_none()
            || cause == seen.value("doctor cause")
                && seen.value("help") == seen.value("doctor help"));
    right.then_some(()).ok_or_else(|| format!("{staged:?} of {row:?}\n{seen}"))
}

/// Whether cause and remedy are those of all the rows that are named, or those of the errno if none is.
/// The cause may begin with words about how certain it is.
fn in_the_words_of(named: &str, errno: &str, advice: [&str; 2]) -> bool {
    let words = |of: fn(&Environment) -> &String, of_errno: fn(&Meaning) -> &String| {
        let rows = environments();
        let rows = named.split_whitespace().map(|name| {
            of(rows.iter().find(|row| row.name == name).expect("the table has it")).clone()
        });
        let mut rows: Vec<String> = rows.collect();
        let meanings = meanings();
        let meaning =
            meanings.iter().find(|meaning| [errno, "*"].contains(&meaning.errno.as_str()));
        if rows.is_empty() {
            rows.extend(meaning.map(of_errno).cloned());
        }
        rows.dedup();
        rows
    };
    let openings = ["more than one thing here can forbid it: ", "perhaps "];
    let cause = openings.iter().find_map(|opening| Some(advice[0].split_once(opening)?.1));
    let said = |text: &str, words: &[String]| {
        let parts: Vec<&str> = text.split("; or ").collect();
        parts.len() == words.len()
            && parts.iter().zip(words).all(|(part, words)| fills(words, part))
    };
    said(cause.unwrap_or(advice[0]), &words(|row| &row.cause, |meaning| &meaning.cause))
        && said(advice[1], &words(|row| &row.remedy, |meaning| &meaning.remedy))
}

/// Whether `text` is a text of the table with something in place of each `{fact}`.
fn fills(table: &str, text: &str) -> bool {
    let Some((before, rest)) = table.split_once('{') else { return table == text };
    let is_fact =
        |name: &str| name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
    match rest.split_once('}').filter(|(name, _)| is_fact(name)) {
        Some((_, after)) => text.strip_prefix(before).is_some_and(|text| {
            let mut ends = text.char_indices().skip(1).map(|(at, _)| at).chain([text.len()]);
            ends.any(|end| !text[..end].starts_with('{') && fills(after, &text[end..]))
        }),
        None => text
            .strip_prefix(before)
            .and_then(|text| text.strip_prefix('{'))
            .is_some_and(|text| fills(rest, text)),
    }
}

#[test]
fn a_text_of_the_table_is_recognized_with_its_facts_filled_in() {
    assert!(fills("a limit is 0", "a limit is 0") && !fills("a limit is 0", "a limit is 1"));
    assert!(fills("Linux {kernel} is old", "Linux 4.19 is old"));
    assert!(!fills("Linux {kernel} is old", "Linux {kernel} is old"));
    assert!(!fills("Linux {kernel} is old", "Linux  is old"));
    assert!(fills("{type: Unconfined} for {profile}", "{type: Unconfined} for docker"));
}

/// Whether `named` is this row, also in the form for the container in which the tests run.
fn is_named(row: Option<&str>, named: &str) -> bool {
    let Some(row) = row else { return named.is_empty() };
    let own = |name: &&str| {
        let general =
            ["docker-", "podman-", "kubernetes-"].iter().find_map(|it| name.strip_prefix(it));
        *name == row || general == Some(row)
    };
    let others = named.split(' ').filter(|name| !own(name));
    // That container may have such a row of its own.
    let others: Vec<_> = others.filter(|name| !name.ends_with("-masked-proc")).collect();
    named.split(' ').any(|name| own(&name)) && others.is_empty()
}

/// Every stage of a row of the table, and of the meaning of an errno.
#[test]
fn the_doctor_recognizes_every_environment() {
    let rows = environments().into_iter().map(|row| (row.name.clone(), Some(row.name), row.proof));
    let meanings = meanings().into_iter().map(|meaning| (meaning.errno, None, meaning.proof));
    let stages = rows.chain(meanings).flat_map(|(name, row, proof)| match proof {
        Proof::Tested(stages) => stages.into_iter().map(|stage| (stage, row.clone())).collect(),
        Proof::Cited(reason) => {
            println!("not staged: {name}: {reason}");
            Vec::new()
        }
    });
    let stages: Vec<_> = stages.collect();
    assert!(!stages.is_empty(), "no row of the table has a stage");
    let (left, wrong) = (Mutex::new(stages.iter()), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let Some((staged, row)) = left.lock().unwrap().next() else { break };
                    let found = look(staged, row.as_deref());
                    wrong.lock().unwrap().extend(found.err());
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Asserts that the sandbox works, and that the doctor finds nothing refused that a chapter needs.
#[track_caller]
fn works(environment: &str) {
    let Some(seen) = seen_in(environment) else { return };
    assert_eq!(seen.sandbox(), None, "{seen}");
    assert_eq!(seen.value("refused"), Some(""), "{seen}");
    assert_eq!(seen.value("recorded"), Some("Reached, exit(0)"), "{seen}");
}

#[test]
fn nothing_is_forbidden() {
    works("as it is");
}

#[test]
fn a_namespace_within_a_namespace() {
    works("a user namespace");
}

#[test]
fn a_proc_that_hides_processes_does_no_harm() {
    works("proc hidepid");
    works("proc subset");
}

#[test]
fn root_without_cap_sys_admin_is_enough() {
    works("without CAP_SYS_ADMIN");
}

/// The chapters that need time namespaces cannot be checked, and all others can.
#[test]
fn no_time_namespaces() {
    let Some(seen) = seen_in("seccomp time") else { return };
    assert_eq!(seen.sandbox(), None, "{seen}");
    assert_eq!(seen.value("refused"), Some("time"), "{seen}");
    assert_eq!(seen.value("doctor row"), Some("seccomp"), "{seen}");
    assert_eq!(seen.value("chapters"), Some("1 2 3 4 5 6 7 8 9 10 11 12 13 14 16"), "{seen}");
}

/// Only `trace` does not work.
#[test]
fn no_ptrace() {
    let Some(seen) = seen_in("seccomp ptrace") else { return };
    assert_eq!(seen.sandbox(), None, "{seen}");
    assert_eq!(seen.value("refused"), Some("ptrace"), "{seen}");
    assert_eq!(seen.value("doctor row"), Some("seccomp"), "{seen}");
    assert_eq!(
        seen.value("recorded"),
        Some("Reached, ptrace(PTRACE_SEIZE): Operation not permitted (os error 1)"),
        "{seen}"
    );
    let chapters = seen.value("chapters").unwrap_or_default();
    assert_eq!(chapters.split(' ').count(), 17, "{seen}");
}

/// Newer calls fail as on an old kernel.
#[test]
fn without_newer_features() {
    let Some(seen) = seen_in("seccomp old") else { return };
    assert_eq!(seen.sandbox(), None, "{seen}");
    assert_eq!(seen.value("refused"), Some(""), "{seen}");
    assert!(seen.value("newer").unwrap_or_default().contains("mount_setattr"), "{seen}");
}
