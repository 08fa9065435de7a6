//! Attacks from outside: the check or its supervisor is killed in the middle of a run.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::PoisonError;
use std::thread::sleep;
use std::time::{Duration, Instant};

use harness::random;
use harness::sandbox::Sandbox;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::fingerprint::Fingerprint;
use super::{LONG, NOISE, alone, an_ordinary_run, each};

/// The variable with the word that the programs of a check have in their arguments.
const MARK: &str = "HOSTILE_MARK";
/// How many checks are killed in each way.
const KILLS: usize = 10;
/// All but the first are killed within this time, which is about what a check takes to start its
/// program.
const MOMENTS: Duration = Duration::from_millis(40);

/// A way to kill a check.
struct Blow {
    name: &'static str,
    stopped_by: &'static str,
    /// Whether the process to kill existed already.
    strike: fn(&Child) -> bool,
}

const BLOWS: [Blow; 3] = [
    Blow {
        name: "SIGKILL to the check, at any moment",
        stopped_by: "PID 1 ends when the check's end of a pipe is closed",
        strike: |check| kill(pid(check), Signal::SIGKILL).is_ok(),
    },
    Blow {
        name: "SIGKILL to the supervisor, at any moment",
        stopped_by: "PID 1 gets SIGKILL when its parent ends (PR_SET_PDEATHSIG)",
        strike: |check| child_of(check).is_some_and(|pid| kill(pid, Signal::SIGKILL).is_ok()),
    },
    Blow {
        name: "Ctrl-C, at any moment",
        stopped_by: "PID 1 ends when the check's end of a pipe is closed",
        strike: |check| killpg(pid(check), Signal::SIGINT).is_ok(),
    },
];

/// Rows for the table of the page.
pub(crate) fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    BLOWS.iter().map(|blow| {
        (blow.name, blow.stopped_by, "that the run has ended, unless the check was killed")
    })
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id() as i32)
}

/// The supervisor, if it has been started.
fn child_of(check: &Child) -> Option<Pid> {
    let threads = fs::read_dir(format!("/proc/{}/task", check.id())).ok()?.flatten();
    let mut children =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    children.find_map(|pids| Some(Pid::from_raw(pids.split_whitespace().next()?.parse().ok()?)))
}

/// Waits until it holds.
fn await_that(mut holds: impl FnMut() -> bool, failure: String) -> Result<(), String> {
    let deadline = Instant::now() + LONG;
    while !holds() {
        if Instant::now() > deadline {
            return Err(failure);
        }
        sleep(Duration::from_millis(2));
    }
    Ok(())
}

/// Kills a check and waits for the end of all that it started. `in_the_middle` is certainly while its
/// program runs, otherwise at a random moment.
fn strike(blow: &Blow, mark: &str, in_the_middle: bool) -> Result<(), String> {
    let mut check = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::a_check_in_the_middle_of_a_run", "--ignored"])
        .env(MARK, mark)
        // A sandbox may outlive its supervisor for a moment, but not the check.
        .env("NAMESPACES_BY_HAND_PATIENCE", "0.2")
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let struck = if in_the_middle {
        let started =
            await_that(|| is_running(mark), format!("{}: the check starts no program", blow.name));
        let meets_nothing = || format!("{}: it meets nothing", blow.name);
        started.and_then(|()| (blow.strike)(&check).then_some(()).ok_or_else(meets_nothing))
    } else {
        sleep(Duration::from_micros(random() % MOMENTS.as_micros() as u64));
        if !(blow.strike)(&check) {
            _ = check.kill();
        }
        Ok(())
    };
    let has_ended = || check.try_wait().unwrap().is_some() && !is_running(mark);
    let hangs = format!("{}: the check hangs, or something is left", blow.name);
    let ended = struck.and_then(|()| await_that(has_ended, hangs));
    _ = check.kill();
    _ = check.wait();
    ended
}

/// Whether a process has the mark in its arguments.
fn is_running(mark: &str) -> bool {
    let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    let arguments = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    arguments.into_iter().any(|bytes| String::from_utf8_lossy(&bytes).contains(mark))
}

#[test]
#[ignore = "runs until it is killed; `a_killed_check_takes_its_sandbox_along` starts it"]
fn a_check_in_the_middle_of_a_run() {
    let mark = std::env::var(MARK).expect("its test sets it");
    let deaf = "trap '' TERM INT HUP; while :; do sleep 1; done";
    let script = format!("setsid sh -c \"{deaf}\" {mark} & {deaf}");
    // With cgroups if they are delegated here, because they would stay on the machine.
    match Sandbox::command("/bin/sh").args(["-c", &script, &mark]).cgroups().start() {
        Ok(mut run) => println!("{:?}", run.await_end()),
        Err(error) => println!("{error}"),
    }
}

#[test]
fn a_killed_check_takes_its_sandbox_along() {
    let _machine = alone();
    an_ordinary_run();
    let mark = format!("killed-{}", std::process::id());
    let mut noise = NOISE.lock().unwrap_or_else(PoisonError::into_inner);
    let before = Fingerprint::take(&mark);
    let numbered: Vec<_> = BLOWS.iter().enumerate().collect();
    let wrong = each(&numbered, BLOWS.len(), |(number, blow)| {
        (0..KILLS).try_for_each(|kill| strike(blow, &format!("{mark}-{number}"), kill == 0))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    an_ordinary_run();
    let changed = noise.changed(&before, &mark, Duration::from_secs(10));
    assert!(changed.is_empty(), "the machine is not as it was: {changed:#?}");
}
