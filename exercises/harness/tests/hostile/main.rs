//! Hostile programs: whatever runs in the sandbox, the check reports what happened, this machine is as
//! it was before, and the next check works.

#[macro_use]
#[path = "../../../lab/tests/common/skip.rs"]
mod skip;

mod calls;
mod canaries;
mod corpus;
mod delegated;
mod fingerprint;
mod killed;
mod planted;
mod weak;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::exit;
use std::sync::{LazyLock, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use canaries::{Canaries, Listeners};
use corpus::{AFTERWARDS, ALONE, Attack, CORPUS, EVERYTHING, Ends, How, IN_CGROUPS};
use fingerprint::{Fingerprint, Noise};
use harness::sandbox::{self, Sandbox, State, Status, Wait, patience};
use harness::{Attempt, watch_setgroups};

/// The first argument of a process that is to attack.
const ATTACK: &str = "--attack";
/// The exit status of an attack that got through, and of one that did not.
const THROUGH: i32 = 66;
const REFUSED: i32 = 9;
/// The patience with an attack that waits for the deadline, and with one that ends by itself, which
/// may take long on a busy machine.
const SHORT: Duration = Duration::from_millis(250);
const LONG: Duration = Duration::from_secs(60);
/// How many at once.
const LANES: usize = 8;

// SAFETY: the C library calls each function in this section once, before main, in the only thread.
#[used]
#[unsafe(link_section = ".init_array")]
static ENTRY: extern "C" fn() = entry;

extern "C" fn entry() {
    let mut words = std::env::args().skip(1);
    match words.next().as_deref() {
        Some(ATTACK) => {}
        Some(planted::PLANT) => planted::main(),
        Some(delegated::DELEGATED) => delegated::main(),
        _ => return,
    }
    let name = words.next().unwrap_or_default();
    let attack = CORPUS.iter().chain(ALONE).find(|attack| attack.name == name);
    let Some(How::Calls(act)) = attack.map(|attack| &attack.how) else {
        panic!("no attack by calls is called `{name}`")
    };
    exit(if act() { THROUGH } else { REFUSED });
}

/// A test that compares the machine before and after writes to it, the others read it.
static MACHINE: RwLock<()> = RwLock::new(());

/// For a test that compares the machine: no other test runs meanwhile.
fn alone() -> RwLockWriteGuard<'static, ()> {
    MACHINE.write().unwrap_or_else(PoisonError::into_inner)
}

/// For a test that does not compare the machine, but starts something on it.
fn beside_others() -> RwLockReadGuard<'static, ()> {
    MACHINE.read().unwrap_or_else(PoisonError::into_inner)
}

/// What the machine changes by itself, learnt once and by one test at a time.
static NOISE: LazyLock<Mutex<Noise>> = LazyLock::new(|| {
    let mut noise = Noise::default();
    noise.learn(&mark(), 3);
    Mutex::new(noise)
});

/// A word in the arguments of every process that a test starts.
fn mark() -> String {
    format!("hostile-{}", std::process::id())
}

/// The program of an attack, and its arguments.
fn program(attack: &Attack) -> (PathBuf, [String; 3]) {
    match attack.how {
        How::Shell(script) => {
            let script =
                format!("{{ {script}; }} >/dev/null 2>&1 && exit {THROUGH}; exit {REFUSED}");
            ("/bin/sh".into(), ["-c".into(), script, mark()])
        }
        How::Calls(_) => {
            let program = std::env::current_exe().unwrap();
            (program, [ATTACK.into(), attack.name.into(), mark()])
        }
    }
}

/// The state in which an attack starts.
struct Start {
    name: &'static str,
    of: fn(Sandbox) -> Sandbox,
    /// Whether the attack finds something else than in the states before this one.
    matters: fn(&Attack) -> bool,
}

const RECORDED: &str = "recorded";

/// Whether this machine allows tracing; if not, the doctor finds out why.
fn can_record() -> bool {
    static CAN: LazyLock<bool> = LazyLock::new(|| {
        let run = Sandbox::command("/bin/true").record().start();
        let can = run.is_ok_and(|mut run| run.await_end() == Wait::Reached && run.trace().is_ok());
        if !can {
            skip!("attacks on the recorder: tracing is refused here");
        }
        can
    });
    *CAN
}

const STARTS: &[Start] = &[
    Start {
        name: "root lab",
        of: |sandbox| sandbox,
        // These two need many ids, or cgroups.
        matters: |attack| !["a crowd of many ids", IN_CGROUPS].contains(&attack.name),
    },
    // No capability, and the namespaces are owned by a user namespace above.
    Start {
        name: "plain user",
        of: |sandbox| sandbox.state(State::PlainUser),
        matters: |attack| [Ends::Refused, Ends::RefusedById, Ends::Faked].contains(&attack.ends),
    },
    // On a machine without many ids, `watch_setgroups` records the run instead.
    Start {
        name: "many ids, shared mounts",
        of: |sandbox| watch_setgroups(sandbox).shared_mounts(),
        matters: |attack| {
            let ends = [Ends::Refused, Ends::RefusedById, Ends::Faked];
            ends.contains(&attack.ends) || attack.name == "a crowd of many ids"
        },
    },
    // On a machine without delegated cgroups, the attack finds none.
    Start {
        name: "cgroups of its own",
        of: Sandbox::cgroups,
        matters: |attack| attack.name == IN_CGROUPS,
    },
    // The recorder traces it, and stops it at the calls of a trace.
    Start {
        name: RECORDED,
        of: Sandbox::record,
        matters: |attack| ![Ends::Memory, Ends::Output].contains(&attack.ends),
    },
];

/// Runs an attack as a check would.
///
/// # Errors
///
/// What differs from the end that the corpus promises.
fn attempt(attack: &Attack, start: &Start) -> Result<(), String> {
    let run = || {
        let (program, words) = program(attack);
        let patience = if attack.ends == Ends::Time { SHORT } else { LONG.max(patience()) };
        let sandbox = (start.of)(Sandbox::new(program).args(words)).witness();
        let mut attempt = Attempt::start(sandbox.patience(Some(patience)));
        let command = attempt.command().is_some();
        (command, attempt.finish())
    };
    let (command, report) =
        catch_unwind(AssertUnwindSafe(run)).map_err(|_| "no verdict".to_owned())?;
    let fact = |key: &str| report.fact(key).unwrap_or_default();
    let end = fact("exit status");
    if command {
        return Err(format!("the check took it for COMMAND ({end})"));
    }
    let left = fact("left behind");
    if attack.ends == Ends::Leaves && !left.starts_with("still running") {
        return Err(format!("a process was left running, and the report says: {left}"));
    }
    if attack.ends.words().iter().any(|words| end.starts_with(words)) {
        return Ok(());
    }
    Err(format!("{end} instead of {:?}; {}{}", attack.ends.words(), fact("stdout"), fact("stderr")))
}

/// Makes all attempts, `lanes` at a time. Returns those that went wrong, and how.
fn all(attempts: &[(&Attack, &Start)], lanes: usize) -> Vec<String> {
    each(attempts, lanes, |(attack, start)| {
        attempt(attack, start).map_err(|why| format!("{} ({}): {why}", attack.name, start.name))
    })
}

/// Tries each of `items`, `lanes` at a time. Returns the errors.
fn each<T: Sync>(
    items: &[T],
    lanes: usize,
    try_it: impl Fn(&T) -> Result<(), String> + Sync,
) -> Vec<String> {
    let left = Mutex::new(items.iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                loop {
                    let Some(item) = left.lock().unwrap().next() else { break };
                    // Not in the line below, where the others would wait for it.
                    let error = try_it(item).err();
                    wrong.lock().unwrap().extend(error);
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

/// Attacks that find something else where the sandbox has a terminal, and how each ends there. It is
/// the program's controlling terminal, and nothing reads what is written to it.
const IN_A_TERMINAL: &[(&str, Status)] = &[
    ("look for inherited descriptors", Status::Exited(REFUSED)),
    ("take descriptors out of PID 1", Status::Exited(REFUSED)),
    ("read what PID 1 has open", Status::Exited(REFUSED)),
    ("TIOCCONS, TIOCLINUX: the console", Status::Exited(REFUSED)),
    ("hang up the terminal", Status::Killed(libc::SIGHUP)),
    ("open other terminals", Status::Exited(REFUSED)),
    ("signal every number", Status::Exited(REFUSED)),
    ("kill all processes", Status::Exited(REFUSED)),
    ("kill itself", Status::Killed(libc::SIGKILL)),
    ("ignore the parent's death, leave the session, keep running", Status::Exited(REFUSED)),
];

/// As [`attempt`], in a sandbox with a terminal.
fn attempt_in_a_terminal(name: &str, wanted: Status) -> Result<(), String> {
    let attack = CORPUS.iter().find(|attack| attack.name == name).unwrap();
    if attack.ends == Ends::RefusedById && sandbox::holds_the_machines_root() {
        // `attempts` has said why.
        return Ok(());
    }
    let (program, words) = program(attack);
    let sandbox = Sandbox::new(program).args(words).terminal().patience(Some(LONG));
    let mut run = sandbox.start().map_err(|error| error.to_string())?;
    match (run.await_end(), run.ended().map(|ended| ended.status)) {
        (Wait::Reached, Some(status)) if status == wanted => Ok(()),
        other => Err(format!("{name} (in a terminal): {other:?} instead of {wanted:?}")),
    }
}

/// An ordinary run works, also after the attacks.
fn an_ordinary_run() {
    let mut run = Sandbox::command("/bin/sh").args(["-c", "exit 7"]).start().unwrap();
    assert_eq!(run.await_end(), Wait::Reached);
    assert_eq!(run.ended().unwrap().status, Status::Exited(7));
}

/// Each attack in each state where it matters. `HOSTILE_ONLY=WORDS` selects those whose name
/// contains the words.
fn attempts(attacks: &'static [Attack]) -> Vec<(&'static Attack, &'static Start)> {
    // It takes long, and in the first state it has the most rights.
    let once = |(attack, start): &(&Attack, &Start)| {
        attack.name != EVERYTHING || start.name == STARTS[0].name
    };
    let only = std::env::var("HOSTILE_ONLY").unwrap_or_default();
    let wanted = attacks.iter().filter(|attack| attack.name.contains(&only));
    let (wanted, skipped): (Vec<_>, Vec<_>) = wanted.partition(|attack| can_be_run(attack));
    if !skipped.is_empty() {
        let names: Vec<_> = skipped.iter().map(|attack| attack.name).collect();
        skip!(OneId: "attacks that only another id than the machine's root stops: {names:?}");
    }
    let pairs =
        wanted.into_iter().flat_map(|attack| STARTS.iter().map(move |start| (attack, start)));
    let pairs = pairs.filter(|(attack, start)| (start.matters)(attack)).filter(once);
    pairs.filter(|(_, start)| start.name != RECORDED || can_record()).collect()
}

/// RLIMIT_NPROC does not count the processes of the machine's root either. With that id, a fork bomb
/// takes all of the machine's time until PID 1 of the sandbox gets a turn.
fn can_be_run(attack: &Attack) -> bool {
    let by_id = [Ends::RefusedById, Ends::Processes].contains(&attack.ends);
    !by_id || !sandbox::holds_the_machines_root()
}

#[test]
fn no_attack_gets_through_and_nothing_is_left() {
    let _machine = alone();
    // The first run starts the supervisor, which stays.
    an_ordinary_run();
    let canaries = Canaries::put(&mark());
    let listeners = Listeners::open(&canaries, &mark());
    let mut noise = NOISE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = Fingerprint::take(&mark());
    let mut wrong = all(&attempts(CORPUS), LANES);
    wrong.extend(each(IN_A_TERMINAL, LANES, |(name, end)| attempt_in_a_terminal(name, *end)));
    wrong.extend(all(&attempts(ALONE), 1));
    an_ordinary_run();
    let changed = noise.changed(&before, &mark(), Duration::from_secs(10));
    wrong.extend(changed.iter().map(|(key, was, is)| format!("{key}: was {was}, is {is}")));
    let reached = listeners.reached();
    wrong.extend(reached.iter().map(|name| format!("a program connected to {name}")));
    println!("{}", noise.report());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A check may look at them for some seconds, and meanwhile they must not use too much.
#[test]
fn processes_left_behind_are_limited_too() {
    let _machine = beside_others();
    let attack = CORPUS.iter().find(|attack| attack.name == AFTERWARDS).unwrap();
    let (program, words) = program(attack);
    let mut run = Sandbox::new(program).args(words).start().unwrap();
    assert_eq!(run.await_end(), Wait::Reached);
    assert_eq!(run.ended().unwrap().left_running.len(), 3, "{:?}", run.ended());
    let start = Instant::now();
    while !run.processes().is_empty() {
        assert!(start.elapsed() < LONG, "they are still running");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// The table of the page: the attack, what stops it, what the report says.
fn table() -> String {
    let mut table = "| attack | what stops it | the report says |\n|---|---|---|\n".to_owned();
    for attack in CORPUS.iter().chain(ALONE) {
        let says = match attack.ends {
            Ends::Refused | Ends::RefusedById | Ends::Faked => "the program's own exit status",
            Ends::Leaves => "left behind: still running",
            ends => ends.words()[0],
        };
        table += &format!("| {} | {} | {says} |\n", attack.name, attack.stopped_by);
    }
    for (name, stopped_by, says) in killed::rows() {
        table += &format!("| {name} | {stopped_by} | {says} |\n");
    }
    table
}

/// `HOSTILE_TABLE=write cargo test -p harness --test hostile the_page` writes the table.
#[test]
fn the_page_lists_every_attack() {
    const BEGIN: &str = "<!-- the table of exercises/harness/tests/hostile/corpus.rs -->\n\n";
    const END: &str = "\n<!-- its end -->";
    let page = harness::verdict::exercises().join("../book/src/how-the-sandbox-holds.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect("the page has a place for the table");
    let (listed, tail) = rest.split_once(END).expect("the table has an end");
    if std::env::var_os("HOSTILE_TABLE").is_some() {
        std::fs::write(&page, format!("{head}{BEGIN}{}{END}{tail}", table())).unwrap();
        return;
    }
    let table = table();
    let stale = table.lines().zip(listed.lines()).find(|(row, listed)| row != listed);
    assert_eq!(stale, None, "HOSTILE_TABLE=write writes the table of the page");
    assert_eq!(listed, table, "HOSTILE_TABLE=write writes the table of the page");
}
