//! `cargo xtask bench [--runs N] [--no-suite]`: what a sandbox run costs, beside other ways to start a program.
//!
//! All of them run /bin/true, in turn, so that a busy moment of the machine hits everybody. The
//! figures are for reading; no test depends on them. Under `CI_NO_SKIP=1` it fails where something of
//! ours cannot be measured. `bench box` is about chapter 17's program.

mod boxes;
mod floor;
mod record;

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use harness::sandbox::{Sandbox, State, Status, Wait};
use harness::verdict::Outcome;

use boxes::Bundle;

use crate::shared::arguments::{Argument, Arguments, Usage};
use crate::shared::cargo::{Built, build_check, build_program};
use crate::shared::chapter::Chapter;
use crate::shared::failure::{Failure, Result};
use crate::shared::screen::{Screen, print};
use crate::shared::steps::{run_step, steps};

/// How a run went: well, or the reason why not.
type Ran = std::result::Result<(), String>;

/// A way to run the program once.
struct Way<'a> {
    name: &'a str,
    run: Box<dyn Fn() -> Ran + 'a>,
}

fn way<'a>(name: &'a str, run: impl Fn() -> Ran + 'a) -> Way<'a> {
    Way { name, run: Box::new(run) }
}

fn ways(bundle: &Bundle) -> [Way<'_>; 10] {
    [
        way("fork and exec", plain),
        way("clone into seven namespaces and exec", floor::bare),
        way("the same with maps and a root (the floor)", floor::with_root),
        way("unshare(1), the same seven", unshare),
        way("bwrap --unshare-all, a root of /usr, proc, dev, tmp", bwrap),
        way("crun run, the same seven, a root of its own", || bundle.run_with("crun")),
        way("runc run, the same", || bundle.run_with("runc")),
        way("sandbox, root lab", root_lab),
        way("sandbox, plain user", plain_user),
        way("sandbox, root lab without network", no_network),
    ]
}
const FLOOR: usize = 2;
const BWRAP: usize = 4;
/// Programs that this machine may do without.
const OTHERS: std::ops::RangeInclusive<usize> = BWRAP..=6;

pub(crate) const USAGE: Usage = Usage {
    name: "bench",
    forms: &[
        ("", "what a sandbox run costs, beside other tools"),
        ("box", "what a box of chapter 17 costs, beside container runtimes"),
    ],
    options: &[
        ("--runs N", "so many runs of each instead of 200"),
        ("--no-suite", "without the whole test suite"),
    ],
};

pub(crate) fn run(mut arguments: Arguments) -> Result {
    let (mut of_box, mut suite, mut runs) = (false, true, 200);
    while let Some(argument) = arguments.next()? {
        match argument {
            Argument::Long("runs") => runs = number(&arguments.value("a number of runs")?)?,
            Argument::Long("no-suite") => suite = false,
            Argument::Value(word) if word == "box" => of_box = true,
            // This command once more, as a part of its own measurements.
            Argument::Long(record::LOAD) => return record::bear(&arguments.value("a load")?),
            Argument::Long(WORK) => {
                let (way, runs) = (arguments.value("a way")?, arguments.value("runs")?);
                return work(&way, number(&runs)?);
            }
            other => return Err(USAGE.unexpected(other)),
        }
    }
    if of_box {
        return boxes::run(runs);
    }
    let bundle = Bundle::make()?;
    let ways = ways(&bundle);
    let times = in_turn(&ways, runs);
    print_table(runs, &ways, &times);
    let of_ours = times.iter().enumerate().filter(|(row, _)| !OTHERS.contains(row));
    let mut missing = of_ours.filter(|(_, times)| times.is_err()).count();
    missing += print_throughput(runs);
    // A checkout that may not be written to, for one. The table holds all the same.
    let mut or_say = |what: &str, printed: Result<()>| {
        if let Err(failure) = printed {
            print(&format!("\n{what}: not measured: {failure}\n"));
            missing += 1;
        }
    };
    or_say("from an edit to the verdict", edit_to_verdict(runs.min(15)));
    or_say("recording", record::print_table(runs.min(15)));
    if suite {
        or_say("the whole suite", whole_suite());
    }
    if missing > 0 && std::env::var_os("CI_NO_SKIP").is_some() {
        return Err(Failure::new("something of ours was not measured"));
    }
    Ok(ExitCode::SUCCESS)
}

fn number(word: &OsStr) -> Result<usize> {
    let number = word.to_str().and_then(|word| word.parse().ok()).filter(|runs| *runs > 0);
    number.ok_or_else(|| Failure::usage(format!("`{}` is no number of runs", word.display())))
}

/// Milliseconds of each run of each way, or why there are none.
fn in_turn(ways: &[Way], runs: usize) -> Vec<std::result::Result<Vec<f64>, String>> {
    // The first run of each is not counted: it fills caches, and starts our supervisor.
    let mut times: Vec<_> = ways.iter().map(|way| (way.run)().map(|()| Vec::new())).collect();
    for _ in 0..runs {
        for (way, times) in ways.iter().zip(&mut times) {
            let Ok(own) = times else { continue };
            // The kernel takes down what is left of a run after it. Nobody pays for the one before.
            thread::sleep(Duration::from_millis(10));
            let start = Instant::now();
            match (way.run)() {
                Ok(()) => own.push(start.elapsed().as_secs_f64() * 1000.0),
                Err(error) => *times = Err(error),
            }
        }
    }
    times
}

fn print_table(runs: usize, ways: &[Way], times: &[std::result::Result<Vec<f64>, String>]) {
    let median_of = |row: usize| times[row].as_ref().ok().map(|times| quantile(times, 0.5));
    let (floor, bwrap) = (median_of(FLOOR), median_of(BWRAP));
    print(&format!("median and 95th percentile of {runs} runs, in ms; ratios of the medians\n\n"));
    print(&format!("{:52}{:>7}{:>7}{:>9}{:>9}\n", "", "median", "95 %", "× floor", "× bwrap"));
    for (way, times) in ways.iter().zip(times) {
        match times {
            Ok(times) => {
                let median = quantile(times, 0.5);
                let ratio =
                    |to: Option<f64>| to.map_or("-".to_owned(), |to| format!("{:.2}", median / to));
                print(&format!(
                    "{:52}{median:7.2}{:7.2}{:>9}{:>9}\n",
                    way.name,
                    quantile(times, 0.95),
                    ratio(floor),
                    ratio(bwrap)
                ));
            }
            Err(error) => print(&format!("{:52}not measured: {error}\n", way.name)),
        }
    }
    print("\nbars: the root lab costs at most 0.75 of bwrap and 1.6 times the floor\n");
}

/// Runs per second with several at once, and how many processors that keeps busy. A run has more
/// than one at work, the kernel's threads among them. The floor shows how much growth that leaves.
/// Returns how many ways could not be measured.
fn print_throughput(runs: usize) -> usize {
    const AT_ONCE: [usize; 4] = [1, 2, 4, 8];
    let cores = thread::available_parallelism().map_or(1, usize::from);
    print(
        "\nruns per second, so many at once; the same as a multiple of one alone; processors busy\n\n",
    );
    print(&format!("{:38}{}\n", "", AT_ONCE.map(|at_once| format!("{at_once:>11}")).concat()));
    // As many at once as there are processors, or nearly.
    let full = AT_ONCE.into_iter().rfind(|at_once| *at_once <= cores).unwrap_or(1);
    let (mut reached, mut missing) = (Vec::new(), 0);
    for Way { name, .. } in works() {
        let (mut rates, mut growth, mut busy) = (String::new(), String::new(), String::new());
        let mut alone = None;
        for at_once in AT_ONCE {
            match throughput(name, at_once, 4 * runs) {
                Ok(found) => {
                    let times = found.rate / *alone.get_or_insert(found.rate);
                    rates.push_str(&format!("{:11.0}", found.rate));
                    growth.push_str(&format!("{times:11.2}"));
                    busy.push_str(&format!("{:11.2}", found.busy));
                    if at_once == full {
                        reached.push(format!("{name} {times:.2}"));
                    }
                }
                Err(failure) => {
                    print(&format!("{name:38}not measured: {failure}\n"));
                    missing += 1;
                    break;
                }
            }
        }
        print(&format!("{name:38}{rates}\n{:38}{growth}\n{:38}{busy}\n", "", ""));
    }
    print(&format!(
        "\nthis machine has {cores} processors\n\
         bar: growth is linear up to their number: {full} at once do {full}.00 times as much as one alone\n\
         reached with {full} at once: {}\n\
         what fork and exec does not reach, no sandbox can; what the floor does not reach, none with\n\
         these namespaces and a root of its own: where a run alone keeps more than one processor busy,\n\
         there is less to gain\n",
        reached.join(", ")
    ));
    missing
}

/// The option that turns `bench` into one of several that work at once: `--work WAY RUNS`.
const WORK: &str = "work";

/// What they do.
fn works() -> [Way<'static>; 3] {
    [
        way("fork and exec", plain),
        way("the floor", floor::with_root),
        way("sandbox, root lab", root_lab),
    ]
}

/// Works when its standard input ends, and says before that it is ready.
fn work(way: &OsStr, runs: usize) -> Result {
    let way = works()
        .into_iter()
        .find(|known| way == known.name)
        .ok_or_else(|| Failure::usage(format!("there is no work `{}`", way.display())))?;
    let failed = |error: String| Failure::machine(error);
    (way.run)().map_err(failed)?;
    print("ready\n");
    io::stdin().read_to_end(&mut Vec::new()).map_err(|error| failed(error.to_string()))?;
    for _ in 0..runs {
        (way.run)().map_err(failed)?;
    }
    Ok(ExitCode::SUCCESS)
}

struct Throughput {
    /// Runs per second.
    rate: f64,
    /// Processors, on average.
    busy: f64,
}

/// In processes of their own: the floor's clone(2) wants a single thread.
fn throughput(way: &str, at_once: usize, runs: usize) -> Result<Throughput> {
    let failed = |error: io::Error| Failure::new(format!("could not work at once: {error}"));
    let each = (runs / at_once).max(1);
    let mut workers = Vec::new();
    for _ in 0..at_once {
        let mut worker = Command::new(std::env::current_exe().map_err(failed)?);
        worker.args(["bench", &format!("--{WORK}"), way, &each.to_string()]);
        worker.stdin(Stdio::piped()).stdout(Stdio::piped());
        workers.push(worker.spawn().map_err(failed)?);
    }
    for worker in &mut workers {
        let said = worker.stdout.as_mut().expect("it is a pipe");
        said.read_exact(&mut [0; "ready\n".len()]).map_err(failed)?;
    }
    let (start, (cores, idle_before)) = (Instant::now(), idle_time());
    workers.iter_mut().for_each(|worker| drop(worker.stdin.take()));
    for mut worker in workers {
        let status = worker.wait().map_err(failed)?;
        if !status.success() {
            return Err(Failure::new(format!("{way}: {status}")));
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok(Throughput {
        rate: (each * at_once) as f64 / seconds,
        busy: cores - (idle_time().1 - idle_before) / seconds,
    })
}

/// How many processors are on, and the seconds that they have been idle, all together: the lines
/// `cpuN` of `/proc/stat`, whose fourth and fifth numbers are that, in hundredths (proc_stat(5)).
fn idle_time() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
    let idle = lines.map(|line| {
        let numbers = line.split_ascii_whitespace().skip(4).take(2);
        numbers.filter_map(|number| number.parse::<f64>().ok()).sum::<f64>() / 100.0
    });
    idle.fold((0.0, 0.0), |(cores, sum), idle| (cores + 1.0, sum + idle))
}

/// The value below which this part of the values lies.
fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * part).round() as usize]
}

fn plain() -> Ran {
    command("/bin/true", &[])
}

fn unshare() -> Ran {
    let options = ["-Urmpfnui", "--cgroup", "--", "/bin/true"];
    command("unshare", &options)
}

fn bwrap() -> Ran {
    const OPTIONS: &str = "--unshare-all --ro-bind /usr /usr --symlink usr/bin /bin \
        --symlink usr/lib /lib --symlink usr/lib64 /lib64 --proc /proc --dev /dev --tmpfs /tmp \
        /usr/bin/true";
    command("bwrap", &OPTIONS.split_ascii_whitespace().collect::<Vec<_>>())
}

fn command(program: &str, arguments: &[&str]) -> Ran {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program}: {status}")),
        Err(error) => Err(format!("{program}: {error}")),
    }
}

fn root_lab() -> Ran {
    sandbox(|sandbox| sandbox)
}

fn plain_user() -> Ran {
    sandbox(|sandbox| sandbox.state(State::PlainUser))
}

fn no_network() -> Ran {
    sandbox(Sandbox::without_network)
}

/// Everything: set-up, run, and waiting until all of it is gone.
fn sandbox(change: fn(Sandbox) -> Sandbox) -> Ran {
    let mut run =
        change(Sandbox::command("/bin/true")).start().map_err(|error| error.to_string())?;
    let wait = run.await_end();
    match run.ended().map(|ended| ended.status) {
        Some(Status::Exited(0)) if wait == Wait::Reached => Ok(()),
        other => Err(format!("{wait:?}, {other:?}")),
    }
}

/// From saving a file to the verdict, beside what Cargo needs to build the program alone. The
/// solution stands for a learner's program, and a new time of change for an edit: the file itself
/// is not touched.
fn edit_to_verdict(runs: usize) -> Result<()> {
    let chapter = Chapter::find("ch2")?;
    let package = format!("{}-solution", chapter.name);
    let file = chapter.solution().join("src/main.rs");
    let check = || match build_check(&package, Screen::stdout())? {
        Built::Yes(check) => Ok(check),
        Built::No => Err(Failure::new(format!("{package} does not compile"))),
    };
    let steps = steps(&chapter, &check()?)?;
    let pass = |check: &Path| -> Result<()> {
        for step in &steps {
            if run_step(check, step, None)?.outcome() != Outcome::Passed {
                return Err(Failure::new(format!("{package} does not pass {}", step.name)));
            }
        }
        Ok(())
    };
    let verdict = || pass(&check()?);
    let build = || build_program(&package, Screen::stdout()).map(drop);
    // Both once, uncounted, with everything that has to be built the first time.
    verdict()?;
    build()?;
    let check = check()?;
    let (mut verdicts, mut builds, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        verdicts.push(timed_after_edit(&file, verdict)?);
        builds.push(timed_after_edit(&file, build)?);
        let start = Instant::now();
        pass(&check)?;
        alone.push(start.elapsed().as_secs_f64());
    }
    let (verdict, build) = (quantile(&verdicts, 0.5), quantile(&builds, 0.5));
    print(&format!(
        "\nfrom an edit to the verdict of {} steps: {verdict:.2} s; cargo build of the program alone: {build:.2} s\n\
         the steps alone, outside Cargo: {:.0} ms; bar: 150 ms\n",
        steps.len(),
        quantile(&alone, 0.5) * 1000.0
    ));
    Ok(())
}

fn timed_after_edit(file: &Path, work: impl Fn() -> Result<()>) -> Result<f64> {
    let touched = File::options().append(true).open(file);
    let touched = touched.and_then(|file| file.set_modified(SystemTime::now()));
    touched.map_err(|error| {
        Failure::new(format!("could not change the time of `{}`: {error}", file.display()))
    })?;
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}

/// `cargo test`, with everything built before.
fn whole_suite() -> Result<()> {
    let run = |words: &[&str]| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut cargo = Command::new(cargo);
        cargo.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match cargo.status() {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failure::new(format!("cargo {}: {status}", words.join(" ")))),
            Err(error) => Err(Failure::new(format!("could not start cargo: {error}"))),
        }
    };
    run(&["test", "--no-run"])?;
    let start = Instant::now();
    run(&["test"])?;
    print(&format!("\nthe whole suite, warm: {:.1} s\n", start.elapsed().as_secs_f64()));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!((quantile(&values, 0.0), quantile(&values, 0.5)), (1.0, 3.0));
        assert_eq!((quantile(&values, 1.0), quantile(&[7.0], 0.95)), (5.0, 7.0));
    }
}
