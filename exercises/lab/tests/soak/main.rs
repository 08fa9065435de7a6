//! Many runs of all kinds in turn, one after the other and then side by side: nothing grows.
//!
//! `NAMESPACES_BY_HAND_SOAK=10000 cargo test -p lab --test soak -- --nocapture` is the long form: so
//! many runs one after the other, as many again 64 at a time, and figures that show whether they slow
//! down.

#[macro_use]
#[path = "../common/skip.rs"]
mod skip;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use lab::sandbox::{self, Run, Sandbox, State, Status, Wait};

/// What goes away with a delay is looked at this often, and for this long at most.
const LOOK: Duration = Duration::from_millis(20);
const SETTLE: Duration = Duration::from_secs(30);

/// What this process and the machine have in use.
#[derive(Clone, Debug, Default)]
struct Use {
    /// What must be back at the same number when all is over.
    counts: BTreeMap<&'static str, usize>,
    /// Objects of the kernel, from slabinfo(5), which only root may read. The kernel frees them with
    /// a delay, and counts some free ones as used.
    kernel: BTreeMap<String, usize>,
    /// KiB.
    memory: BTreeMap<&'static str, usize>,
    files: BTreeSet<String>,
}

/// Objects of the kernel that would show a namespace or a mount that stays.
const SLABS: [&str; 6] =
    ["net_namespace", "mnt_cache", "pid_namespace", "user_namespace", "uts_namespace", "nsproxy"];
/// So many more after any number of runs are no growth: for each processor the kernel counts a page
/// or two of each kind as used.
const SLACK: usize = 300;
/// The same for memory, in KiB.
const MEMORY_SLACK: usize = 8 * 1024;

impl Use {
    fn now() -> Use {
        let family = family();
        let lines = |path: &str| fs::read_to_string(path).unwrap_or_default().lines().count();
        let entries = |path: String| fs::read_dir(path).map_or(0, Iterator::count);
        let own = std::process::id();
        let supervisor = family.iter().find(|pid| **pid != own);
        let memory = |pid: u32| status(pid, "VmRSS:").unwrap_or(0);
        let mut now = Use::default();
        now.counts.insert("processes", family.len());
        now.counts.insert("mounts", lines("/proc/self/mountinfo"));
        now.counts.insert("descriptors", entries("/proc/self/fd".to_owned()));
        now.memory.insert("the check", memory(own));
        if let Some(pid) = supervisor {
            now.counts.insert("descriptors of the supervisor", entries(format!("/proc/{pid}/fd")));
            now.memory.insert("the supervisor", memory(*pid));
        }
        for line in fs::read_to_string("/proc/slabinfo").unwrap_or_default().lines() {
            let mut words = line.split_ascii_whitespace();
            if let (Some(name), Some(count)) = (words.next(), words.next())
                && SLABS.contains(&name)
            {
                now.kernel.insert(name.to_owned(), count.parse().unwrap_or(0));
            }
        }
        for place in ["/tmp", "/run", "/var/tmp", "/dev/shm"] {
            let entries = fs::read_dir(place).into_iter().flatten().flatten();
            now.files.extend(entries.map(|entry| entry.path().to_string_lossy().into_owned()));
        }
        folders(Path::new("/sys/fs/cgroup"), &mut now.files);
        now
    }

    fn figures(&self) -> String {
        let counts = self.counts.iter().map(|(what, count)| format!("{count} {what}"));
        let kernel = self.kernel.iter().map(|(what, count)| format!("{count} {what}"));
        let memory = self.memory.iter().map(|(whose, size)| format!("{whose} {size} KiB"));
        counts.chain(kernel).chain(memory).collect::<Vec<_>>().join(", ")
    }

    /// What has become more than before.
    fn growth(&self, before: &Use) -> Vec<String> {
        let mut growth = Vec::new();
        for (what, count) in &self.counts {
            let before = before.counts.get(what).copied().unwrap_or(0);
            if *count > before {
                growth.push(format!("{what}: {before}, now {count}"));
            }
        }
        for (what, count) in &self.kernel {
            let before = before.kernel.get(what).copied().unwrap_or(0);
            if *count > before + SLACK {
                growth.push(format!("{what} in the kernel: {before}, now {count}"));
            }
        }
        for (whose, memory) in &self.memory {
            let before = before.memory.get(whose).copied().unwrap_or(0);
            if *memory > before + MEMORY_SLACK {
                growth.push(format!("memory of {whose}: {before} KiB, now {memory} KiB"));
            }
        }
        // Files of other programs come and go. Those of the lab have this word in their names.
        let new = self.files.difference(&before.files).filter(|path| path.contains("namespaces"));
        growth.extend(new.map(|path| format!("a file: {path}")));
        growth
    }

    /// Looks until nothing has grown, for [`SETTLE`] at most: the kernel destroys network namespaces in
    /// the background.
    fn settled(before: &Use) -> (Use, Vec<String>) {
        let deadline = Instant::now() + SETTLE;
        loop {
            let now = Use::now();
            let growth = now.growth(before);
            if growth.is_empty() || Instant::now() > deadline {
                return (now, growth);
            }
            thread::sleep(LOOK);
        }
    }
}

/// All folders below `top`.
fn folders(top: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(top).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.insert(entry.path().to_string_lossy().into_owned());
            folders(&entry.path(), found);
        }
    }
}

/// A number of `/proc/PID/status`.
fn status(pid: u32, key: &str) -> Option<usize> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix(key))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// This process and its descendants.
fn family() -> BTreeSet<u32> {
    let pids = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parents: Vec<(u32, u32)> =
        pids.filter_map(|pid| Some((pid, status(pid, "PPid:")? as u32))).collect();
    let mut family = BTreeSet::from([std::process::id()]);
    while let Some((child, _)) =
        parents.iter().find(|(child, parent)| family.contains(parent) && !family.contains(child))
    {
        family.insert(*child);
    }
    family
}

/// A kind of run.
struct Kind {
    name: &'static str,
    of: fn(Sandbox) -> Sandbox,
    /// Whether a run had what distinguishes its kind.
    has: fn(&mut Run) -> bool,
    /// Whether this machine has this kind.
    is_here: fn() -> bool,
}

const RECORDED: &str = "recorded";
const CGROUPS: &str = "cgroups of its own";
const MANY_IDS: &str = "many ids";

const KINDS: [Kind; 6] = [
    Kind {
        name: "root lab",
        of: |sandbox| sandbox,
        has: |run| run.stdout() == "0\n",
        is_here: || true,
    },
    Kind {
        name: "plain user",
        of: |sandbox| sandbox.state(State::PlainUser),
        has: |run| run.stdout() == "1000\n",
        is_here: || true,
    },
    Kind {
        name: RECORDED,
        of: Sandbox::record,
        has: |run| run.trace().is_ok_and(|trace| !trace.events.is_empty()),
        is_here: || {
            let run = Sandbox::command("/bin/true").record().start();
            run.is_ok_and(|mut run| run.await_end() == Wait::Reached && run.trace().is_ok())
        },
    },
    Kind {
        name: MANY_IDS,
        of: Sandbox::many_ids,
        has: |run| run.ids().is_some_and(|ids| ids[0] >= 0x7000_0000),
        is_here: sandbox::has_many_ids,
    },
    Kind {
        name: "a terminal",
        of: Sandbox::terminal,
        has: |run| run.terminal().is_some(),
        is_here: || true,
    },
    Kind {
        name: CGROUPS,
        of: Sandbox::cgroups,
        has: |run| !run.cgroups().is_empty(),
        is_here: || sandbox::has_cgroups().is_ok(),
    },
];

/// Those that this machine has.
fn kinds() -> Vec<&'static Kind> {
    let (here, missing): (Vec<_>, Vec<_>) = KINDS.iter().partition(|kind| (kind.is_here)());
    for kind in missing {
        match kind.name {
            MANY_IDS => skip!(NotRoot: "growth after runs with {MANY_IDS}"),
            CGROUPS => skip!(Cgroups: "growth after runs with {CGROUPS}"),
            name => skip!("growth after runs of the kind `{name}`"),
        }
    }
    here
}

fn start(kind: &Kind) -> Run {
    let sandbox = (kind.of)(Sandbox::command("/usr/bin/id").arg("-u"));
    sandbox.start().unwrap_or_else(|error| panic!("{}: {error}", kind.name))
}

fn run_once(kind: &Kind) {
    let mut run = start(kind);
    assert_eq!(run.await_end(), Wait::Reached, "{}: {:?}", kind.name, run.ended());
    assert_eq!(run.ended().expect("it has ended").status, Status::Exited(0), "{}", kind.name);
    assert!((kind.has)(&mut run), "not a run of its kind: {}: {}", kind.name, run.stdout());
}

/// Makes `runs` runs, each kind in turn, `at_once` side by side. Returns the runs per second in the
/// first half and in the second.
fn soak(kinds: &[&Kind], runs: usize, at_once: usize) -> (f64, f64) {
    let half = |runs: usize| {
        let left = AtomicUsize::new(runs);
        let begin = Instant::now();
        let take = |left: usize| left.checked_sub(1);
        thread::scope(|scope| {
            for _ in 0..at_once {
                scope.spawn(|| {
                    let next = || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
                    while let Ok(left) = next() {
                        run_once(kinds[left % kinds.len()]);
                    }
                });
            }
        });
        runs as f64 / begin.elapsed().as_secs_f64()
    };
    (half(runs / 2), half(runs - runs / 2))
}

/// One test, because two would count what the other one has in use.
#[test]
fn nothing_grows() {
    let said = std::env::var("NAMESPACES_BY_HAND_SOAK");
    let runs = said.map(|runs| runs.parse().expect("NAMESPACES_BY_HAND_SOAK is a number"));
    let (runs, at_once) = runs.map_or((100, 16), |runs| (runs, 64));
    // The first runs start the supervisor and fill the caches of the allocators.
    let kinds = kinds();
    soak(&kinds, at_once * 2, at_once);
    if Use::now().kernel.is_empty() {
        skip!(NotRoot: "growth of the kernel's objects: /proc/slabinfo shows none of {SLABS:?}");
    }

    for at_once in [1, at_once] {
        let (before, _) = Use::settled(&Use::now());
        let (first, second) = soak(&kinds, runs, at_once);
        let (after, growth) = Use::settled(&before);
        println!("{runs} runs, {at_once} at once: {first:.0} a second, then {second:.0}");
        println!("  before: {}\n  after:  {}", before.figures(), after.figures());
        assert!(
            growth.is_empty(),
            "after {runs} runs, {at_once} at once, there is more of\n{growth:#?}"
        );
    }

    // A run of each kind that is not dropped is noticed.
    for kind in kinds {
        let before = Use::now();
        let kept = start(kind);
        let growth = Use::now().growth(&before).join("\n");
        let shows = |what| assert!(growth.contains(what), "{}: {growth}", kind.name);
        ["processes: ", "descriptors: "].into_iter().for_each(shows);
        if kind.name == CGROUPS {
            shows("a file: /sys/fs/cgroup");
        }
        drop(kept);
        let (_, growth) = Use::settled(&before);
        assert!(growth.is_empty(), "{}: {growth:#?}", kind.name);
    }
}

#[test]
fn each_kind_of_growth_is_seen() {
    let before = Use::now();
    let grown = |change: fn(&mut Use)| {
        let mut after = before.clone();
        change(&mut after);
        after.growth(&before)
    };
    assert!(grown(|_| ()).is_empty());
    assert_eq!(grown(|now| *now.counts.get_mut("mounts").unwrap() += 1).len(), 1);
    assert_eq!(grown(|now| *now.memory.get_mut("the check").unwrap() += 10_000).len(), 1);
    assert_eq!(grown(|now| _ = now.kernel.insert("nsproxy".to_owned(), 1_000_000)).len(), 1);
    assert_eq!(grown(|now| _ = now.files.insert("/tmp/namespaces-left".to_owned())).len(), 1);
}
