//! Ways to start a program, beside each other.

use harness::sandbox::{Sandbox, State, Status, Wait};

use super::boxes::Bundle;
use super::floor;
use super::measure::{Ran, Way, command, in_turn, quantile, way};
use xtask::shared::failure::Result;
use xtask::shared::screen::print;
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

/// Measures all of them. Returns how many that need no other program could not be measured.
pub(super) fn print_table(runs: usize) -> Result<usize> {
    let bundle = Bundle::make()?;
    let ways = ways(&bundle);
    let times = in_turn(&ways, runs);
    let median_of = |row: usize| times[row].as_ref().ok().map(|times| quantile(times, 0.5));
    let (floor, bwrap) = (median_of(FLOOR), median_of(BWRAP));
    print(&format!("median and 95th percentile of {runs} runs, in ms; ratios of the medians\n\n"));
    print(&format!("{:52}{:>7}{:>7}{:>9}{:>9}\n", "", "median", "95 %", "× floor", "× bwrap"));
    for (way, times) in ways.iter().zip(&times) {
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
    let own = times.iter().enumerate().filter(|(row, _)| !OTHERS.contains(row));
    Ok(own.filter(|(_, times)| times.is_err()).count())
}

pub(super) fn plain() -> Ran {
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

pub(super) fn root_lab() -> Ran {
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
