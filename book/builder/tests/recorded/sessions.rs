//! Every session that a page shows is what a run prints.

use std::fs;

use book::needs::{Programs, Recording};
use book::record::{pages, programs};
use book::session::{Group, groups, play};

use crate::skip::may_skip;
use crate::{exception, root, side_by_side};

/// What is wrong with a group of sessions of `page`.
fn faults(page: &str, group: &Group, programs: &Programs) -> Vec<String> {
    match play(group, programs) {
        Ok(Recording::Made(played)) => {
            let stale = played.iter().filter(|fence| fence.shown != fence.ran);
            stale
                .map(|fence| {
                    let (shown, ran) = (fence.shown.join("\n"), fence.ran.join("\n"));
                    format!(
                        "{page}:{}: the page shows\n{shown}\nand a run gives\n{ran}\n",
                        fence.line
                    )
                })
                .collect()
        }
        Ok(Recording::Skipped { need, reason }) => {
            let what = format!("{page}:{}: {reason}", group.line());
            let fault = may_skip(need.as_ref().and_then(exception), &what).err();
            fault.or_else(|| no_difference(page, group, programs)).into_iter().collect()
        }
        Err(error) => vec![format!("{page}: {error:#}")],
    }
}

/// What is wrong with sessions that are for a newer kernel: on this one they give the same. A difference
/// between kernels that a page states is so seen on both sides.
fn no_difference(page: &str, group: &Group, programs: &Programs) -> Option<String> {
    let group = group.on_this_old_kernel()?;
    match play(&group, programs) {
        Ok(Recording::Made(played)) if played.iter().all(|fence| fence.shown == fence.ran) => {
            let line = group.line();
            Some(format!("{page}:{line}: it asks for a newer kernel, and this one prints the same"))
        }
        Ok(Recording::Made(played)) => {
            let differs = played.iter().find(|fence| fence.shown != fence.ran)?;
            let lines = differs.shown.iter().zip(&differs.ran);
            let other = lines.map(|(_, ran)| ran).find(|ran| !differs.shown.contains(ran));
            let other = other.map_or("less", String::as_str);
            eprintln!("differs on this kernel: {page}:{}: {other}", differs.line);
            None
        }
        // Another need, such as the ids of an ordinary user.
        Ok(Recording::Skipped { .. }) => None,
        Err(error) => {
            eprintln!("differs on this kernel: {page}:{}: {error:#}", group.line());
            None
        }
    }
}

/// A session that shows something else gets a second chance: on a machine that is very busy, what
/// its `sleep 0.3` waits for may take longer.
fn faults_twice(page: &str, group: &Group, programs: &Programs) -> Vec<String> {
    match faults(page, group, programs) {
        none if none.is_empty() => none,
        _ => faults(page, group, programs),
    }
}

#[test]
fn every_recorded_session_is_true() {
    slow!();
    let programs = programs(&root()).unwrap();
    let mut all = Vec::new();
    for page in pages(&root()).unwrap() {
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        let groups = groups(&fs::read_to_string(&page).unwrap());
        let groups = groups.unwrap_or_else(|error| panic!("{name}: {error}"));
        all.extend(groups.into_iter().map(|group| (name.clone(), group)));
    }
    assert!(!all.is_empty(), "no page has a session: were they looked for in the right place?");
    let found = side_by_side(&all, |(page, group)| faults_twice(page, group, &programs));
    assert!(
        found.is_empty(),
        "{}\nhelp: where the pages are wrong, `cargo run -p book -- record` mends them",
        found.join("\n")
    );
}

#[test]
fn a_session_that_went_stale_is_found() {
    let page = "```console,root-lab\n# echo one\ntwo\n```\n";
    let groups = groups(page).unwrap();
    let faults = faults("planted.md", &groups[0], &[]);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].contains(
        "planted.md:2: the page shows\n# echo one\ntwo\nand a run gives\n# echo one\none"
    ));
}

#[test]
fn a_session_that_any_kernel_prints_and_that_asks_for_a_newer_one_is_found() {
    let fault = |output: &str| {
        let page = format!("```console,root-lab,needs=linux-99.0\n# echo one\n{output}\n```\n");
        no_difference("planted.md", &groups(&page).unwrap()[0], &[])
    };
    let same = fault("one").expect("it is the same on this kernel");
    assert_eq!(same, "planted.md:2: it asks for a newer kernel, and this one prints the same");
    assert_eq!(fault("two"), None, "another output is the difference");
    let met = groups("```console,root-lab,needs=linux-2.6\n# echo one\none\n```\n").unwrap();
    assert_eq!(no_difference("planted.md", &met[0], &[]), None, "this kernel is new enough");
}
