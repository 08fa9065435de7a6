//! Every challenge of every chapter, tried in its lab: the solution reaches the goal, each wrong way is
//! named, and a lab in which nothing happens does not pass.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use challenge::{Challenge, LASTS, Onlooker, Verdict, judge, lab, of_chapter};
use harness::sandbox::{has_cgroups, patience};
use harness::trace::Kind;

use skip::Exception;

#[path = "../../../exercises/lab/tests/common/skip.rs"]
#[macro_use]
mod skip;

/// The challenges of all chapters, by the chapter's name.
fn all() -> BTreeMap<String, Vec<Challenge>> {
    let exercises = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../exercises");
    let mut chapters = BTreeMap::new();
    for entry in fs::read_dir(exercises).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("ch") {
            let text = fs::read_to_string(folder.join("challenges.toml"));
            let text = text.unwrap_or_else(|error| panic!("{name}/challenges.toml: {error}"));
            let challenges = of_chapter(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            chapters.insert(name, challenges);
        }
    }
    chapters
}

/// Why this machine cannot run the challenges of a chapter, and whether CI accepts that.
fn lacks(chapter: &str) -> Option<(Option<Exception>, String)> {
    let is_there = |tool: &str| {
        let folders = ["/usr/bin", "/bin", "/usr/sbin", "/sbin"];
        folders.iter().any(|folder| Path::new(folder).join(tool).exists())
    };
    let tool = match chapter {
        "ch01-look" => "pgrep",
        "ch02-unshare" | "ch04-setns" => "hostname",
        "ch12-net" | "ch13-veth" => "ip",
        _ => "unshare",
    };
    match chapter {
        _ if !is_there(tool) => Some((None, format!("there is no {tool}"))),
        "ch14-cgroup" => has_cgroups()
            .err()
            .map(|error| (Some(Exception::Cgroups), format!("no cgroups of its own: {error}"))),
        "ch15-time" | "ch17-box" if !Kind::Time.exists() => {
            Some((Some(Exception::Kernel), "no time namespaces".to_owned()))
        }
        _ => None,
    }
}

/// What becomes of a lab in which the shell runs a script: `done`, what is said of a wrong way, or `not yet`. It
/// is looked at until that is `wanted`, or for some time.
fn outcome(challenge: &Challenge, script: &str, wanted: &str) -> String {
    let file = format!("{script}\nwhile :; do tail -f /dev/null; done");
    let quoted = file.replace('\'', r"'\''");
    let sandbox = lab::sandbox(challenge, &format!("/bin/sh -c '{quoted}'"));
    let mut run = sandbox.start().unwrap_or_else(|error| panic!("{error}"));
    let onlooker = Onlooker::of(&run).unwrap();
    let begin = Instant::now();
    let mut last = (String::new(), begin);
    loop {
        let sight = onlooker.look(challenge);
        let now = match sight.as_ref().map(|sight| judge(challenge, &sight.world)) {
            None => "setting up".to_owned(),
            Some(Verdict::Done(_)) => "done".to_owned(),
            Some(Verdict::Wrong(wrong)) => wrong.say.clone(),
            Some(Verdict::NotYet) => "not yet".to_owned(),
        };
        if now != last.0 {
            last = (now, Instant::now());
        }
        let lasts = last.1.elapsed() >= LASTS;
        if lasts && (last.0 == "done" || last.0 == wanted) || begin.elapsed() > 2 * patience() {
            let world = sight.map(|sight| sight.world);
            if last.0 == wanted {
                return last.0;
            }
            run.release(0);
            return format!("{}\n{}{world:#?}", last.0, run.stderr());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
fn every(chapters: &[&str]) {
    for chapter in chapters {
        let challenges = &all()[*chapter];
        if let Some((exception, why)) = lacks(chapter) {
            skip::skip(exception, &format!("the challenges of {chapter}: {why}"));
            continue;
        }
        for challenge in challenges {
            let Challenge { name, solution, .. } = challenge;
            assert_eq!(outcome(challenge, solution, "done"), "done", "{chapter} {name}");
            assert_eq!(outcome(challenge, "", "not yet"), "not yet", "{chapter} {name}: nothing");
            for wrong in &challenge.wrong {
                let told = outcome(challenge, &wrong.attempt, &wrong.say);
                assert_eq!(told, wrong.say, "{chapter} {name}: {}", wrong.attempt);
            }
        }
    }
}

#[test]
fn chapters_1_to_6() {
    slow!();
    every(&["ch01-look", "ch02-unshare", "ch03-clone", "ch04-setns", "ch05-user", "ch06-owner"]);
}

#[test]
fn chapters_7_to_12() {
    slow!();
    every(&["ch07-mount", "ch08-root", "ch09-pid", "ch10-init", "ch11-ipc", "ch12-net"]);
}

#[test]
fn chapters_13_to_17() {
    slow!();
    every(&["ch13-veth", "ch14-cgroup", "ch15-time", "ch16-ask", "ch17-box"]);
}

#[test]
fn every_chapter_has_a_challenge_and_a_hint() {
    let chapters = all();
    assert_eq!(chapters.len(), 17);
    for (chapter, challenges) in chapters {
        assert!(!challenges.is_empty(), "{chapter}");
        for (place, challenge) in challenges.iter().enumerate() {
            assert!(!challenge.hints.is_empty(), "{chapter} {}", challenge.name);
            let same = challenges[..place].iter().any(|other| other.name == challenge.name);
            assert!(!same, "{chapter} has {} twice", challenge.name);
        }
    }
}

#[test]
fn what_is_undone_does_not_count_any_more() {
    let challenge = &all()["ch02-unshare"][0];
    let script = format!("{}\nsleep 1; kill $!; wait", challenge.solution);
    assert_eq!(outcome(challenge, &script, "done"), "done");
    let script = "unshare --uts sh -c 'hostname otter'";
    assert_eq!(outcome(challenge, script, "not yet"), "not yet");
    let names = &all()["ch02-unshare"][1];
    let script = "unshare --uts sh -c 'hostname otter; exec sleep 60' & hostname badger; sleep 1; \
                  hostname lab; unshare --uts sh -c 'hostname badger; exec sleep 60' &";
    assert_eq!(outcome(names, script, "done"), "done", "the lab has its name back");
}

/// What a reader has tried before is still there.
#[test]
fn another_try_beside_it_does_no_harm() {
    let join = &all()["ch04-setns"][0];
    let script = "nsenter --target $(pgrep -x sleep) --uts sleep 600 & sleep 0.5; \
                  nsenter --target $(pgrep -o -x sleep) --uts tail -f /dev/null &";
    assert_eq!(outcome(join, script, "done"), "done");
}
