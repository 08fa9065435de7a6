//! Hostile programs: whatever runs in the sandbox, the check says what happened, this machine is
//! as before, and the next check works.

mod calls;
mod canaries;
mod corpus;
mod fingerprint;
mod killed;

use std::os::unix::fs::MetadataExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;
use std::sync::Mutex;
use std::time::Duration;

use canaries::Canaries;
use corpus::{ALONE, Attack, CORPUS, Ends, How};
use fingerprint::{Fingerprint, Noise};
use harness::Exercise;
use harness::sandbox::{self, Sandbox, Status, Wait};
use nix::unistd::Uid;

/// The first argument of a process that is to attack.
const ATTACK: &str = "--attack";
/// How an attack ends that got through, and one that did not.
const THROUGH: i32 = 66;
const REFUSED: i32 = 9;
/// How many at once.
const LANES: usize = 6;

// SAFETY: the C library calls each function in this section once, before main, in the only thread.
#[used]
#[unsafe(link_section = ".init_array")]
static ENTRY: extern "C" fn() = entry;

extern "C" fn entry() {
    let mut words = std::env::args().skip(1);
    if words.next().as_deref() != Some(ATTACK) {
        return;
    }
    let name = words.next().unwrap_or_default();
    let attack = CORPUS.iter().chain(ALONE).find(|attack| attack.name == name);
    let Some(How::Calls(act)) = attack.map(|attack| &attack.how) else {
        panic!("no attack by calls is called `{name}`")
    };
    exit(if act() { THROUGH } else { REFUSED });
}

/// Who compares the machine with itself wants no other test beside it.
static MACHINE: Mutex<()> = Mutex::new(());

/// A word in the arguments of everything that this process starts.
fn mark() -> String {
    format!("hostile-{}", std::process::id())
}

fn exercise(attack: &Attack) -> Exercise {
    match attack.how {
        How::Shell(script) => {
            let script =
                format!("{{ {script}; }} >/dev/null 2>&1 && exit {THROUGH}; exit {REFUSED}");
            Exercise::new("/bin/sh").args(["-c", &script, &mark()])
        }
        How::Calls(_) => {
            let program = std::env::current_exe().unwrap();
            Exercise::new(program.to_str().unwrap()).args([ATTACK, attack.name, &mark()])
        }
    }
}

/// Runs one as a check would. What is wrong with how it went, if something is.
fn attempt(attack: &Attack) -> Result<(), String> {
    // RLIMIT_NPROC does not count the machine's root either, so a bomb of processes goes on there
    // until PID 1 gets its turn, and takes the machine's time from everybody.
    let by_id = [Ends::RefusedById, Ends::Processes].contains(&attack.ends);
    if by_id && sandbox::holds_the_machines_root() {
        println!(
            "skipped: {}: this user namespace knows no id but the machine's root's",
            attack.name
        );
        return Ok(());
    }
    let run = || {
        let mut attempt = exercise(attack).witness().start();
        let command = attempt.command().is_some();
        (command, attempt.finish())
    };
    let (command, report) =
        catch_unwind(AssertUnwindSafe(run)).map_err(|_| "no verdict".to_owned())?;
    let fact = |key: &str| report.fact(key).unwrap_or_default();
    let end = fact("exit status");
    if command {
        return Err(format!("it passed for COMMAND ({end})"));
    }
    if attack.ends.words().iter().any(|words| end.starts_with(words)) {
        return Ok(());
    }
    Err(format!("{end} instead of {:?}; {}{}", attack.ends.words(), fact("stdout"), fact("stderr")))
}

/// All of them, some at once. What went wrong, by name.
fn all(attacks: &[Attack], lanes: usize) -> Vec<String> {
    let left = Mutex::new(attacks.iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            scope.spawn(|| {
                loop {
                    let Some(attack) = left.lock().unwrap().next() else { break };
                    if let Err(why) = attempt(attack) {
                        wrong.lock().unwrap().push(format!("{}: {why}", attack.name));
                    }
                }
            });
        }
    });
    wrong.into_inner().unwrap()
}

/// The next one works.
fn an_honest_run() {
    let mut run = Sandbox::command("/bin/sh").args(["-c", "exit 7"]).start().unwrap();
    assert_eq!(run.await_end(), Wait::Reached);
    assert_eq!(run.ended().unwrap().status, Status::Exited(7));
}

#[test]
fn no_attack_gets_through_and_nothing_is_left() {
    let _machine = MACHINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    // The supervisor is there from the first run on, and stays.
    an_honest_run();
    let _canaries = Canaries::put(&mark());
    let mut noise = Noise::default();
    noise.learn(&mark(), 3);
    let before = Fingerprint::take(&mark());
    let mut wrong = all(CORPUS, LANES);
    wrong.extend(all(ALONE, 1));
    an_honest_run();
    let changed = noise.changed(&before, &mark(), Duration::from_secs(10));
    wrong.extend(changed.iter().map(|(key, was, is)| format!("{key}: was {was}, is {is}")));
    println!("{}", noise.report());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The table of the page: what was tried, what stops it, what the report says.
fn table() -> String {
    let mut table = "| attack | what stops it | the report says |\n|---|---|---|\n".to_owned();
    for attack in CORPUS.iter().chain(ALONE) {
        let says = match attack.ends {
            Ends::Refused | Ends::RefusedById => "the program's own exit status",
            ends => ends.words()[0],
        };
        table += &format!("| {} | {} | {says} |\n", attack.name, attack.stopped_by);
    }
    for (name, stopped_by, says) in killed::rows() {
        table += &format!("| {name} | {stopped_by} | {says} |\n");
    }
    table
}

/// Write it anew with `HOSTILE_TABLE=write cargo test -p harness --test hostile the_page`.
#[test]
fn the_page_tells_every_attack() {
    const BEGIN: &str = "<!-- the table of exercises/harness/tests/hostile/corpus.rs -->\n\n";
    const END: &str = "\n<!-- its end -->";
    let page = harness::verdict::exercises().join("../book/src/how-the-sandbox-holds.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (head, rest) = text.split_once(BEGIN).expect("the page has a place for the table");
    let (told, tail) = rest.split_once(END).expect("the table has an end");
    if std::env::var_os("HOSTILE_TABLE").is_some() {
        std::fs::write(&page, format!("{head}{BEGIN}{}{END}{tail}", table())).unwrap();
        return;
    }
    assert_eq!(told, table(), "HOSTILE_TABLE=write makes the page's table anew");
}

/// What a single level of namespaces, made by unshare(1), lacks, and an attack that shows it.
struct Weak {
    lacks: &'static str,
    /// What the shell does before the attack.
    before: &'static str,
    attack: &'static str,
}

const WEAK: &[Weak] = &[
    Weak {
        lacks: "the second level",
        // The function stands for rm(1): it deletes nothing, and asks whether one could.
        before: "mount --bind /usr /usr && mount -o remount,bind,ro /usr && \
                 rm() { ! grep -q ' /usr ro' /proc/self/mountinfo; }",
        attack: "remount /usr and delete",
    },
    Weak {
        lacks: "a root of its own",
        before: ":",
        attack: "the homes, the sockets, the journals",
    },
    Weak { lacks: "limits", before: "ulimit -n 4096", attack: "descriptors without end" },
    Weak {
        lacks: "closed descriptors",
        before: "exec 9</dev/null",
        attack: "look for inherited descriptors",
    },
    // unshare(1) maps whoever calls it: here the machine's root.
    Weak { lacks: ROOT_THAT_IS_NOBODY, before: ":", attack: "a sysctl of the machine" },
];

const ROOT_THAT_IS_NOBODY: &str = "a root that is nobody outside";

/// Whether this process is the machine's root, to a question of owners.
fn is_the_machines_root() -> bool {
    let owner = std::fs::metadata("/proc/sys/vm/swappiness").map(|file| file.uid());
    owner.is_ok_and(|owner| owner == 0 && Uid::effective().is_root())
}

#[test]
fn what_a_weak_sandbox_lacks_is_found() {
    let _machine = MACHINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    for weak in WEAK {
        if weak.lacks == ROOT_THAT_IS_NOBODY && !is_the_machines_root() {
            println!("skipped: without {}: nobody here is the machine's root", weak.lacks);
            continue;
        }
        let attack = CORPUS.iter().find(|attack| attack.name == weak.attack).unwrap();
        let run = match attack.how {
            How::Shell(script) => script.to_owned(),
            How::Calls(_) => "\"$0\" --attack \"$1\"; test $? = 66".to_owned(),
        };
        let program = std::env::current_exe().unwrap();
        let script = format!("{}; {{ {run}; }} >/dev/null 2>&1", weak.before);
        let status = std::process::Command::new("unshare")
            .args(["-Urm", "--pid", "--fork", "--kill-child", "--net", "--ipc", "--uts"])
            .args(["sh", "-c", &script])
            .arg(program)
            .arg(attack.name)
            .status()
            .unwrap();
        assert!(status.success(), "without {}, `{}` gets through", weak.lacks, weak.attack);
    }
}
