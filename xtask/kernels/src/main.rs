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

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use image::Share;
use lexopt::prelude::*;
use packages::{KERNELS, Packaged, Tools};
use suites::{ACCOUNTS, Account, Outcome, SUITES, Suite};

/// How long a machine may take for everything.
const LIMIT: Duration = Duration::from_secs(60 * 60);

/// What was asked for. Nothing means all.
#[derive(Default)]
struct Wanted {
    kernels: Vec<String>,
    suites: Vec<String>,
    accounts: Vec<String>,
    /// Words in the names of tests.
    tests: Vec<String>,
    /// Whether the book's table is written.
    record: bool,
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

fn run() -> Result<bool> {
    let mut wanted = Wanted::default();
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("suite") => wanted.suites.push(parser.value()?.string()?),
            Long("record") => wanted.record = true,
            Long("test") => wanted.tests.push(parser.value()?.string()?),
            Long("as") => wanted.accounts.push(parser.value()?.string()?),
            Value(kernel) => wanted.kernels.push(kernel.string()?),
            other => return Err(other.unexpected().into()),
        }
    }
    let kernels = chosen(&KERNELS, &wanted.kernels, |kernel: &Packaged| kernel.name)?;
    let suites = chosen(&SUITES, &wanted.suites, |suite: &Suite| suite.name)?;
    let accounts = chosen(&ACCOUNTS, &wanted.accounts, |account: &Account| account.name())?;

    let checkout = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize()?;
    let cache = checkout.join("target/kernels");
    fs::create_dir_all(&cache)?;
    let tools = Tools::fetch(&cache)?;
    println!("building the tests …");
    let built = build::build(&checkout)?;
    let said = cache.join("said");
    if suites.iter().any(|suite| suite.name == "programs") {
        println!("building the programs that are tried …");
        write_program(&cache.join("record-cargo"), include_str!("guest/record-cargo"))?;
        build::programs(&checkout, &built, suites::PROGRAMS, &said)?;
    }
    let mut all_right = true;
    for packaged in kernels {
        let kernel = packaged.fetch(&cache, &tools)?;
        let folder = cache.join("runs").join(packaged.name);
        let out = folder.join("out");
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir_all(&out)?;
        fs::write(out.join("run"), include_str!("guest/run"))?;
        write_program(&out.join("cargo"), include_str!("guest/cargo"))?;
        fs::create_dir_all(out.join("said"))?;
        for entry in fs::read_dir(&said).into_iter().flatten().flatten() {
            fs::copy(entry.path(), out.join("said").join(entry.file_name()))?;
        }
        let mut plan = String::new();
        let [before, after] = &suites::AROUND;
        // Each of them takes many looks at the whole machine.
        let is_attacked = suites.iter().any(|suite| suite.name == "hostile");
        if is_attacked {
            add(&mut plan, before, Account::Root);
        }
        suites::write(before, &out, &checkout, &built, &wanted.tests)?;
        for suite in &suites {
            suites::write(suite, &out, &checkout, &built, &wanted.tests)?;
            for account in accounts.iter().filter(|account| suite.is_for(***account)) {
                add(&mut plan, suite, **account);
            }
        }
        if is_attacked {
            add(&mut plan, after, Account::Root);
        }
        suites::write(after, &out, &checkout, &built, &wanted.tests)?;
        fs::write(out.join("plan"), &plan)?;
        let share = |tag, path: &str, writable| {
            let path = PathBuf::from(path);
            Share { tag, at: path.clone(), path, writable }
        };
        let shares = [
            share("usr", "/usr", false),
            Share {
                tag: "checkout",
                path: checkout.clone(),
                at: checkout.clone(),
                writable: false,
            },
            Share { tag: "out", path: out.clone(), at: "/out".into(), writable: true },
        ];
        println!("booting {} …", kernel.release);
        let start = Instant::now();
        let ended = machine::run(&folder, &kernel, &tools, machine::USUAL, &shares, LIMIT);
        let outcomes = suites::read(&out)?;
        all_right &= print(&kernel.release, &outcomes);
        if wanted.record {
            let date = packages::output(Command::new("date").arg("+%Y-%m-%d"))?;
            record::enter(
                &checkout.join("book/kernels.md"),
                &kernel.release,
                &outcomes,
                date.trim(),
            )?;
        }
        if let Err(error) = ended {
            all_right = false;
            println!("{}: {error:#}", kernel.release);
        }
        if outcomes.len() < plan.lines().count() {
            all_right = false;
            println!(
                "{}: {} of {} suites have ended\n{}",
                kernel.release,
                outcomes.len(),
                plan.lines().count(),
                machine::end_of(&folder.join("console"))
            );
        }
        println!("{}: {} s in all", kernel.release, start.elapsed().as_secs());
    }
    Ok(all_right)
}

fn add(plan: &mut String, suite: &Suite, account: Account) {
    *plan += &format!("{} {} {}\n", suite.name, account.name(), LIMIT.as_secs());
}

fn write_program(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text)?;
    Ok(fs::set_permissions(file, fs::Permissions::from_mode(0o755))?)
}

/// Those of `all` that are named; all of them if none is.
fn chosen<'a, T>(
    all: &'a [T],
    names: &[String],
    name: fn(&T) -> &'static str,
) -> Result<Vec<&'a T>> {
    let unknown = names.iter().find(|wanted| all.iter().all(|one| name(one) != wanted.as_str()));
    if let Some(unknown) = unknown {
        let known: Vec<_> = all.iter().map(name).collect();
        bail!("there is no `{unknown}`\nhelp: there are {}", known.join(", "));
    }
    Ok(all
        .iter()
        .filter(|one| names.is_empty() || names.iter().any(|wanted| wanted == name(one)))
        .collect())
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
