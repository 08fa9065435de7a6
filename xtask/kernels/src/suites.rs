//! What runs on another kernel, as shell scripts, and what came of it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::build::{Built, Test};
use crate::machine;
use crate::version::Version;
use crate::{CACHE, ROOT};

/// How many seconds a check waits for each thing: everything takes ten to twenty times as long as on the
/// machine that translates.
const PATIENCE: u32 = 300;

/// Which account runs a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Account {
    Root,
    User,
}

pub(crate) static ACCOUNTS: [Account; 2] = [Account::Root, Account::User];

impl Account {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Account::Root => "root",
            Account::User => "user",
        }
    }
}

/// A suite: its name, and what it runs.
pub(crate) struct Suite {
    pub(crate) name: &'static str,
    runs: Runs,
}

impl Suite {
    /// Whether it sets up machines that forbid something, by changing this one.
    pub(crate) fn changes_the_machine(&self) -> bool {
        matches!(self.runs, Runs::Script(_))
    }

    /// The words of an author's command, whose programs are built before.
    pub(crate) fn of_author(&self) -> Option<&'static str> {
        match self.runs {
            Runs::Author(words) => Some(words),
            _ => None,
        }
    }

    /// Whether an account runs it. To change the machine takes root.
    pub(crate) fn is_for(&self, account: Account) -> bool {
        account == Account::Root || !self.changes_the_machine()
    }
}

/// What a suite runs.
enum Runs {
    /// The programs of tests that belong to it.
    Tests(fn(&Test) -> bool),
    /// This script, which calls the program in `$xtask`.
    Script(&'static str),
    /// This script, which calls the program in `$author` and finds others in `$tools`.
    Boxes(&'static str),
    /// `xtask` with these words.
    Xtask(&'static str),
    /// `author` with these words.
    Author(&'static str),
    /// Whether the machine is as it was, at this time.
    Fingerprint(&'static str),
}

/// In the order in which they run.
pub(crate) static SUITES: [Suite; 11] = [
    Suite { name: "doctor", runs: Runs::Xtask("doctor") },
    Suite {
        name: "solutions",
        runs: Runs::Tests(|test| test.package.ends_with("-solution") && test.name == "check"),
    },
    Suite { name: "programs", runs: Runs::Author(PROGRAMS) },
    Suite { name: "limits", runs: Runs::Author(LIMITS) },
    Suite {
        name: "sandbox",
        runs: Runs::Tests(|test| test.is("lab", &["lab", "sandbox", "visit"])),
    },
    Suite {
        name: "recorder",
        runs: Runs::Tests(|test| test.is("lab", &["record"]) || test.package == "trace"),
    },
    Suite { name: "harness", runs: Runs::Tests(|test| test.is("harness", &["harness", "doctor"])) },
    Suite { name: "hostile", runs: Runs::Tests(|test| test.is("harness", &["hostile"])) },
    Suite { name: "sessions", runs: Runs::Tests(|test| test.is("builder", &["recorded"])) },
    Suite { name: "boxes", runs: Runs::Boxes(include_str!("guest/boxes")) },
    // The last, because some of what it does cannot be undone.
    Suite { name: "refusals", runs: Runs::Script(include_str!("guest/refusals")) },
];

/// What is tried beside the solutions: other right programs, and wrong ones of each kind.
const PROGRAMS: &str = "verify --quick --any-progress --sample 40";

/// All programs of the chapter whose limits few other machines have.
const LIMITS: &str = "verify --quick --any-progress ch14";

/// What runs first, and after all that has to leave the machine as it was, as root.
pub(crate) static AROUND: [Suite; 2] = [
    Suite { name: "before", runs: Runs::Fingerprint("before") },
    Suite { name: "after", runs: Runs::Fingerprint("after") },
];

/// Writes a suite's script to the folder that the other machine sees as `/out`.
pub(crate) fn write(
    suite: &Suite,
    out: &Path,
    checkout: &Path,
    built: &Built,
    names: &[String],
) -> Result<()> {
    let root = checkout.display();
    let mut script = format!(
        "export CARGO=/out/cargo SAID={} CI_NO_SKIP=1 NAMESPACES_BY_HAND_PATIENCE={PATIENCE} \
         {ROOT}={root}\n\
         cd {root}\n\
         names='{}'\n",
        suite.name,
        names.join(" ")
    );
    match suite.runs {
        Runs::Tests(holds) => {
            script +=
                "failed=0\nrun() { cd \"$1\"; CARGO_MANIFEST_DIR=$1 \"$2\" $names || failed=1; }\n";
            for test in built.tests.iter().filter(|test| holds(test)) {
                let (folder, program) = (test.folder.display(), test.program.display());
                script += &format!("run '{folder}' '{program}'\n");
            }
            script += "exit $failed\n";
        }
        Runs::Script(text) => script += &format!("xtask='{}'\n{text}", built.xtask.display()),
        Runs::Boxes(text) => {
            let (author, tools) = (built.author.display(), checkout.join(CACHE).join("tools"));
            script += &format!("author='{author}'\ntools='{}'\n{text}", tools.display());
        }
        Runs::Author(words) => script += &format!("'{}' {words}\n", built.author.display()),
        Runs::Xtask(words) => script += &format!("'{}' {words}\n", built.xtask.display()),
        Runs::Fingerprint(when) => {
            let program = built.fingerprint.display();
            script += &format!("cd exercises/harness\n'{program}' {when} /out/fingerprint.json\n");
        }
    }
    fs::write(out.join(suite.name), script).with_context(|| format!("could not write {out:?}"))
}

/// What came of a suite.
pub(crate) struct Outcome {
    pub(crate) suite: String,
    pub(crate) account: String,
    pub(crate) passed: usize,
    pub(crate) skipped: BTreeSet<String>,
    pub(crate) seconds: u64,
    /// The end of what it printed, if it failed.
    pub(crate) failure: Option<String>,
}

/// Reads the results of all suites that have ended.
pub(crate) fn read(out: &Path, release: &str) -> Result<Vec<Outcome>> {
    let results = fs::read_to_string(out.join("results")).unwrap_or_default();
    results.lines().map(|line| outcome(out, line, release)).collect()
}

fn outcome(out: &Path, line: &str, release: &str) -> Result<Outcome> {
    let words: Vec<&str> = line.split(' ').collect();
    let [suite, account, status, start, end] = words[..] else {
        anyhow::bail!("not a result: {line:?}")
    };
    let file = out.join(format!("{suite}.{account}.log"));
    let log = fs::read(&file).with_context(|| format!("could not read {file:?}"))?;
    let log = String::from_utf8_lossy(&log);
    let passed = log.lines().filter_map(|line| {
        if let Some((_, rest)) =
            line.strip_prefix("test result: ").and_then(|line| line.split_once(". "))
        {
            return rest.split_once(" passed")?.0.parse::<usize>().ok();
        }
        // A fact of the doctor or of the programs, or the machine looked at before and after.
        let is_looked_at =
            line.contains(" things to compare; ") || line == "this machine is as it was";
        (line.starts_with("ok ") || is_looked_at).then_some(1)
    });
    let passed: usize = passed.sum();
    let skipped = log.lines().filter_map(|line| Some(line.split_once("skipped: ")?.1.to_owned()));
    // A line of the doctor.
    let refused = log.lines().filter(|line| line.starts_with("no   ")).map(str::to_owned);
    let skipped: BTreeSet<String> = skipped.chain(refused).collect();
    let seconds = end.parse::<u64>()?.saturating_sub(start.parse()?);
    let undue: Vec<&String> =
        skipped.iter().filter(|skipped| !is_due(skipped, account, release)).collect();
    let failure = match (status, passed) {
        ("0", 0) => Some("no test ran".to_owned()),
        ("0", _) if !undue.is_empty() => {
            Some(format!("skipped, and this kernel has what it takes: {undue:?}"))
        }
        ("0", _) => None,
        _ => Some(format!("exit status {status}\n{}", machine::end_of(&file))),
    };
    Ok(Outcome { suite: suite.into(), account: account.into(), passed, skipped, seconds, failure })
}

/// Whether something may be skipped by this account on this kernel. These machines have every cgroup
/// controller and every switch of their kernels, so most reasons for a skip are none here.
fn is_due(skipped: &str, account: &str, release: &str) -> bool {
    // What `xtask verify` was told not to try.
    let is_an_option = ["whether ", "all but every ", "programs outside"];
    let needed = skipped.split_once("it needs Linux ").map(|(_, version)| Version::new(version));
    is_an_option.iter().any(|beginning| skipped.starts_with(beginning))
        || account == Account::User.name() && skipped.contains("(NotRoot: ")
        || skipped.contains(": this kernel has no /proc/sys/")
        || skipped == "youki: it is in no package of Debian"
        || needed.is_some_and(|needed| Version::new(release).is_older_than(&needed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A suite's end with this log, as the machine leaves it behind.
    fn ended(log: &str, account: &str, status: u32, release: &str) -> Outcome {
        let name = format!("kernels-{}-{:?}", std::process::id(), std::thread::current().id());
        let out = std::env::temp_dir().join(name);
        fs::create_dir(&out).unwrap();
        fs::write(out.join(format!("lab.{account}.log")), log).unwrap();
        let outcome = outcome(&out, &format!("lab {account} {status} 10 12"), release);
        fs::remove_dir_all(out).unwrap();
        outcome.unwrap()
    }

    #[test]
    fn a_suite_fails_by_its_status_without_a_test_and_by_a_skip_that_is_not_due() {
        const PASSED: &str = "test result: ok. 3 passed; 0 failed; 1 ignored\n";
        let outcome = |more: &str, status| {
            ended(&format!("{PASSED}{more}"), "user", status, "6.12.107+deb13-amd64")
        };
        let right = outcome("skipped: b.md:7: it needs Linux 6.18, and this is 6.12.107\n", 0);
        assert_eq!((right.passed, right.skipped.len(), right.seconds), (3, 1, 2));
        assert_eq!(right.failure, None);
        let undue = outcome("skipped: b.md:7: it needs Linux 6.11, and this is 6.12.107\n", 0);
        let failure = undue.failure.expect("the kernel has what it takes");
        assert!(failure.contains("this kernel has what it takes"), "{failure}");
        assert!(failure.contains("it needs Linux 6.11"), "{failure}");
        let undue = outcome("no   limits in them (a step of chapter 14)\n", 0);
        assert!(undue.failure.is_some(), "every machine has every controller");
        let facts = ended("ok     a fact\nno faults, 1 facts\n", "root", 0, "6.1.0-50-amd64");
        assert_eq!((facts.passed, facts.failure), (1, None), "the last line is not the doctor's");
        let before = ended("7 things to compare; unseen: nothing\n", "root", 0, "6.1.0-50-amd64");
        assert_eq!((before.passed, before.failure), (1, None));
        assert!(outcome("", 101).failure.is_some(), "its exit status says so");
        let silent = ended("running 0 tests\n", "root", 0, "6.1.0-50-amd64");
        assert_eq!(silent.failure.as_deref(), Some("no test ran"));
    }

    #[test]
    fn a_skip_is_due_where_the_kernel_or_the_account_lacks_something() {
        let due = |skipped, account| is_due(skipped, account, "6.1.0-50-amd64");
        assert!(due("a session: it needs Linux 6.2, and this is 6.1.0-50-amd64", "root"));
        assert!(!due("a session: it needs Linux 5.14, and this is 6.1.0-50-amd64", "root"));
        let ids =
            "a lab with many ids: this user has one id (NotRoot: .ci/run runs it as root too)";
        assert!(due(ids, "user") && !due(ids, "root"));
        assert!(!due("a lab with cgroups of its own: ENODEV (Cgroups: …)", "user"));
        assert!(!due("no   limits in them (a step of chapter 14)", "root"));
    }
}
