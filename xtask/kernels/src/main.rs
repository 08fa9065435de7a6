//! `cargo xtask kernels`: the tests on kernels from packages, from the oldest that the course promises
//! to the newest, each in an emulated machine that is gone afterwards.
//!
//! ```text
//! this machine                          the other one, with the kernel of a package
//!   /usr            ── read-only ──▶      /usr, and a root directory of its own in memory
//!   the checkout    ── read-only ──▶      the checkout, at the same path: tests and programs are built
//!   target/kernels/runs/KERNEL   ◀──▶     /out: what to run, and what came of it
//! ```

mod build;
mod image;
mod machine;
mod packages;
mod record;
mod suites;
mod version;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use build::Built;
use image::Share;
use lexopt::prelude::*;
use packages::{KERNELS, Packaged, Tools};
use suites::{ACCOUNTS, Account, Outcome, SUITES, Suite};

/// How long a machine may take for everything.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// Set by `cargo xtask`: the checkout.
const ROOT: &str = "NAMESPACES_BY_HAND_ROOT";

/// What is fetched and what is left of a run, in the checkout.
const CACHE: &str = "target/kernels";

/// What `--short` runs on a kernel.
struct Short {
    kernel: &'static str,
    suites: &'static [&'static str],
    accounts: &'static [&'static str],
    /// Words in the names of tests.
    tests: &'static [&'static str],
}

/// A small choice. The steps of the solutions run where the most is missing, and the switches are tried where there
/// are the most of them.
const SHORT: [Short; 2] = [
    Short {
        kernel: "5.10",
        suites: &["doctor", "solutions"],
        accounts: &["user"],
        tests: &["step1", "step2", "step3"],
    },
    Short {
        kernel: "newest",
        suites: &["doctor", "refusals"],
        accounts: &["root", "user"],
        tests: &[],
    },
];

/// What was asked for. Nothing means all.
#[derive(Default)]
struct Wanted {
    kernels: Vec<String>,
    suites: Vec<String>,
    accounts: Vec<String>,
    /// Words in the names of tests.
    tests: Vec<String>,
    /// [`SHORT`] instead of kernels, suites and accounts.
    short: bool,
    /// Whether the book's table is written.
    record: bool,
}

/// What is to be done on one kernel.
struct Work {
    packaged: &'static Packaged,
    suites: Vec<&'static Suite>,
    accounts: Vec<&'static Account>,
    /// Words in the names of tests. Without any, all run.
    tests: Vec<String>,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(3)
        }
    }
}

/// Returns whether everything has passed.
fn run() -> Result<bool> {
    let wanted = Wanted::read()?;
    let work = wanted.work()?;
    let checkout = std::env::var_os(ROOT).context("call it as `cargo xtask kernels`")?;
    let checkout = PathBuf::from(checkout).canonicalize()?;
    let cache = checkout.join(CACHE);
    fs::create_dir_all(&cache)?;
    let tools = Tools::fetch(&cache)?;
    println!("building the tests …");
    let has = |name| work.iter().flat_map(|work| &work.suites).any(|suite| suite.name == name);
    let built = build::build(&checkout)?;
    let said = cache.join("said");
    fs::create_dir_all(&said)?;
    write_program(&cache.join("record-cargo"), include_str!("guest/record-cargo"))?;
    for suite in SUITES.iter().filter(|suite| has(suite.name)) {
        if let Some(words) = suite.of_author() {
            println!("building the programs of `{}` …", suite.name);
            build::programs(&checkout, &built, words, &said.join(suite.name))?;
        }
    }
    if has("boxes") {
        fs::write(said.join("boxes-build"), build::chapter_17(&checkout)?)?;
    }
    let mut all_right = true;
    for work in work {
        let kernel = work.packaged.fetch(&cache, &tools)?;
        let folder = cache.join("runs").join(work.packaged.name);
        let out = folder.join("out");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(out.join("said"))?;
        for entry in fs::read_dir(&said)?.flatten() {
            fs::copy(entry.path(), out.join("said").join(entry.file_name()))?;
        }
        let plan = work.write(&out, &checkout, &built)?;
        println!("booting {} …", kernel.release);
        let start = Instant::now();
        let shares = shares(&checkout, &out);
        let ended = machine::run(&folder, &kernel, work.packaged.size, &tools, &shares, LIMIT);
        let outcomes = suites::read(&out, &kernel.release)?;
        all_right &= print(&kernel.release, &outcomes);
        if wanted.record {
            let date = packages::output(Command::new("date").arg("+%Y-%m-%d"))?;
            let table = checkout.join("book/kernels.md");
            record::enter(
                &table,
                &kernel.release,
                work.packaged.size.label,
                &outcomes,
                date.trim(),
            )?;
        }
        if let Err(error) = ended {
            all_right = false;
            println!("{}: {error:#}", kernel.release);
        }
        if outcomes.len() < plan {
            all_right = false;
            let said = machine::end_of(&folder.join("console"));
            println!("{}: {} of {plan} suites have ended\n{said}", kernel.release, outcomes.len());
        }
        println!("{}: {} s in all", kernel.release, start.elapsed().as_secs());
    }
    Ok(all_right)
}

impl Wanted {
    fn read() -> Result<Wanted> {
        let mut wanted = Wanted::default();
        let mut parser = lexopt::Parser::from_env();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("as") => wanted.accounts.push(parser.value()?.string()?),
                Long("suite") => wanted.suites.push(parser.value()?.string()?),
                Long("test") => wanted.tests.push(parser.value()?.string()?),
                Long("short") => wanted.short = true,
                Long("record") => wanted.record = true,
                Value(kernel) => wanted.kernels.push(kernel.string()?),
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(wanted)
    }

    fn work(&self) -> Result<Vec<Work>> {
        // The table would have the number of a part for the number of all tests.
        let is_a_part = self.short || !self.tests.is_empty();
        ensure!(
            !(self.record && is_a_part),
            "--record is for whole suites, without --short and --test"
        );
        let suites = |names: &[String]| chosen(&SUITES, names, |suite| suite.name);
        let accounts = |names: &[String]| chosen(&ACCOUNTS, names, |account| account.name());
        let kernels = |names: &[String]| chosen(&KERNELS, names, |kernel| kernel.name);
        if self.short {
            let owned =
                |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
            let work = SHORT.iter().map(|short| {
                Ok(Work {
                    packaged: kernels(&owned(&[short.kernel]))?[0],
                    suites: suites(&owned(short.suites))?,
                    accounts: accounts(&owned(short.accounts))?,
                    tests: owned(short.tests),
                })
            });
            return work.collect();
        }
        let (suites, accounts) = (suites(&self.suites)?, accounts(&self.accounts)?);
        let work = kernels(&self.kernels)?.into_iter().map(|packaged| Work {
            packaged,
            suites: suites.clone(),
            accounts: accounts.clone(),
            tests: self.tests.clone(),
        });
        Ok(work.collect())
    }
}

impl Work {
    /// Writes what the other machine does to the folder that it sees as `/out`. Returns how many suites
    /// that are.
    fn write(&self, out: &Path, checkout: &Path, built: &Built) -> Result<usize> {
        fs::write(out.join("run"), include_str!("guest/run"))?;
        write_program(&out.join("cargo"), include_str!("guest/cargo"))?;
        let mut plan = Vec::new();
        for suite in &self.suites {
            let accounts = self.accounts.iter().filter(|account| suite.is_for(***account));
            plan.extend(accounts.map(|account| (*suite, **account)));
        }
        let [before, after] = &suites::AROUND;
        plan.insert(0, (before, Account::Root));
        let end = plan.iter().position(|(suite, _)| suite.changes_the_machine());
        let end = end.unwrap_or(plan.len());
        plan.insert(end, (after, Account::Root));
        let mut lines = String::new();
        for (suite, account) in &plan {
            suites::write(suite, out, checkout, built, &self.tests)?;
            lines += &format!("{} {} {}\n", suite.name, account.name(), LIMIT.as_secs());
        }
        fs::write(out.join("plan"), lines)?;
        Ok(plan.len())
    }
}

fn shares(checkout: &Path, out: &Path) -> [Share; 3] {
    let read_only = |tag, path: &Path| Share {
        tag,
        path: path.to_owned(),
        at: path.to_owned(),
        writable: false,
    };
    [
        read_only("usr", Path::new("/usr")),
        read_only("checkout", checkout),
        Share { tag: "out", path: out.to_owned(), at: "/out".into(), writable: true },
    ]
}

fn write_program(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text)?;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
}

/// Those of `all` that are named; all of them if none is.
fn chosen<T>(
    all: &'static [T],
    names: &[String],
    name: fn(&T) -> &'static str,
) -> Result<Vec<&'static T>> {
    let unknown = names.iter().find(|wanted| all.iter().all(|one| name(one) != wanted.as_str()));
    if let Some(unknown) = unknown {
        let known: Vec<_> = all.iter().map(name).collect();
        bail!("there is no `{unknown}`\nhelp: there are {}", known.join(", "));
    }
    let is_chosen = |one: &&T| names.is_empty() || names.iter().any(|wanted| wanted == name(one));
    Ok(all.iter().filter(is_chosen).collect())
}

/// Prints what came of the suites. Returns whether all is right.
fn print(release: &str, outcomes: &[Outcome]) -> bool {
    for outcome in outcomes {
        let mark = if outcome.failure.is_none() { "ok   " } else { "FAULT" };
        println!(
            "{mark} {release:24} {:10} {:5} {:4} passed {:3} skipped {:5} s",
            outcome.suite,
            outcome.account,
            outcome.passed,
            outcome.skipped.len(),
            outcome.seconds
        );
        for skipped in &outcome.skipped {
            println!("        skipped: {skipped}");
        }
        if let Some(failure) = &outcome.failure {
            println!("        {}", failure.replace('\n', "\n        "));
        }
    }
    outcomes.iter().all(|outcome| outcome.failure.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_suites_are_entered_into_the_table() {
        let is_allowed = |record, short, tests: &[&str]| {
            let tests = tests.iter().map(|test| (*test).to_owned()).collect();
            Wanted { record, short, tests, ..Wanted::default() }.work().is_ok()
        };
        assert!(is_allowed(true, false, &[]));
        assert!(!is_allowed(true, true, &[]) && !is_allowed(true, false, &["step1"]));
        assert!(is_allowed(false, true, &[]) && is_allowed(false, false, &["step1"]));
    }

    #[test]
    fn the_small_choice_has_the_oldest_and_the_newest_kernel() {
        let work = Wanted { short: true, ..Wanted::default() }.work().unwrap();
        let kernels: Vec<&str> = work.iter().map(|work| work.packaged.name).collect();
        assert_eq!(kernels, ["5.10", "newest"]);
    }
}
