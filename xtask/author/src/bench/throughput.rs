//! Several runs at once.

use std::ffi::OsStr;
use std::io::{self, Read as _};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Instant;

use super::measure::{Way, way};
use super::{floor, starts};
use xtask::shared::failure::{Failure, Result};
use xtask::shared::screen::print;

/// Runs per second with several at once, and how many processors that keeps busy: a run keeps more than
/// one at work, because the kernel's own threads work for it too. The floor shows how much growth that
/// leaves. Returns how many ways could not be measured.
pub(super) fn print_table(runs: usize) -> usize {
    const AT_ONCE: [usize; 4] = [1, 2, 4, 8];
    let cores = thread::available_parallelism().map_or(1, usize::from);
    print(
        "\nruns per second, so many at once; the same as a multiple of one alone; processors busy\n\n",
    );
    print(&format!("{:38}{}\n", "", AT_ONCE.map(|at_once| format!("{at_once:>11}")).concat()));
    // As many at once as there are processors, or nearly.
    let full = AT_ONCE.into_iter().rfind(|at_once| *at_once <= cores).unwrap_or(1);
    let (mut reached, mut missing) = (Vec::new(), 0);
    for Way { name, .. } in jobs() {
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
         no sandbox can grow more than fork and exec does, and none with these namespaces and a root of\n\
         its own more than the floor: if one run keeps more than one processor busy, there is less to\n\
         gain\n",
        reached.join(", ")
    ));
    missing
}

/// The option that turns `bench` into one of several that work at once: `--work WAY RUNS`.
pub(super) const WORK: &str = "work";

/// What they do.
fn jobs() -> [Way<'static>; 3] {
    [
        way("fork and exec", starts::plain),
        way("the floor", floor::with_root),
        way("sandbox, root lab", starts::root_lab),
    ]
}

/// Prints that it is ready, and begins when its standard input ends.
pub(super) fn work(way: &OsStr, runs: usize) -> Result {
    let way = jobs()
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

/// Several processes work at once, not threads: the floor's clone(2) needs a process with one thread.
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

/// How many processors are online, and for how many seconds they have been idle in all: from the lines
/// `cpuN` of `/proc/stat`, whose fourth and fifth numbers are idle times in hundredths of a second
/// (proc_stat(5)).
fn idle_time() -> (f64, f64) {
    let text = std::fs::read_to_string("/proc/stat").unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with("cpu") && !line.starts_with("cpu "));
    let idle = lines.map(|line| {
        let numbers = line.split_ascii_whitespace().skip(4).take(2);
        numbers.filter_map(|number| number.parse::<f64>().ok()).sum::<f64>() / 100.0
    });
    idle.fold((0.0, 0.0), |(cores, sum), idle| (cores + 1.0, sum + idle))
}
