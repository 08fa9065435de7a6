//! Attacks from outside: whoever runs the sandbox is killed in the middle of it.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use harness::random;
use harness::sandbox::{Sandbox, patience};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use super::fingerprint::{Fingerprint, Noise};
use super::{MACHINE, an_honest_run};

/// Where a check finds the word that its programs carry in their arguments.
const MARK: &str = "HOSTILE_MARK";
/// How often each is killed.
const KILLS: usize = 10;
/// From the start of a check to its program's start it takes less.
const MOMENTS: Duration = Duration::from_millis(40);

/// Who is killed, and how.
struct Blow {
    name: &'static str,
    stopped_by: &'static str,
    /// Whether there was somebody to kill already.
    strike: fn(&Child) -> bool,
}

const BLOWS: [Blow; 3] = [
    Blow {
        name: "SIGKILL to the check, at any moment",
        stopped_by: "a pipe that ends with the check, and PID 1 listens to it",
        strike: |check| kill(pid(check), Signal::SIGKILL).is_ok(),
    },
    Blow {
        name: "SIGKILL to the supervisor, at any moment",
        stopped_by: "PID 1 has asked for SIGKILL at its parent's death",
        strike: |check| child_of(check).is_some_and(|pid| kill(pid, Signal::SIGKILL).is_ok()),
    },
    Blow {
        name: "Ctrl-C, at any moment",
        stopped_by: "a pipe that ends with the check, and PID 1 listens to it",
        strike: |check| killpg(pid(check), Signal::SIGINT).is_ok(),
    },
];

/// Rows for the table of the page.
pub(crate) fn rows() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    BLOWS
        .iter()
        .map(|blow| (blow.name, blow.stopped_by, "the check has ended, or tells that its run has"))
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id() as i32)
}

/// The supervisor, as soon as there is one.
fn child_of(check: &Child) -> Option<Pid> {
    let threads = fs::read_dir(format!("/proc/{}/task", check.id())).ok()?.flatten();
    let mut children =
        threads.filter_map(|thread| fs::read_to_string(thread.path().join("children")).ok());
    children.find_map(|pids| Some(Pid::from_raw(pids.split_whitespace().next()?.parse().ok()?)))
}

/// Whether a process has the mark in its arguments.
fn somebody_is_left(mark: &str) -> bool {
    let entries = fs::read_dir("/proc").expect("/proc is mounted").flatten();
    let arguments = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    arguments.into_iter().any(|bytes| String::from_utf8_lossy(&bytes).contains(mark))
}

/// Not a test of its own: `whoever_is_killed_takes_the_sandbox_along` starts it.
#[test]
#[ignore = "runs until it is killed"]
fn a_check_in_the_middle_of_a_run() {
    let mark = std::env::var(MARK).expect("its test sets it");
    let deaf = "trap '' TERM INT HUP; while :; do sleep 1; done";
    let script = format!("setsid sh -c \"{deaf}\" {mark} & {deaf}");
    // With cgroups of its own, where they are to be had: they stay on the machine if nobody removes
    // them.
    match Sandbox::command("/bin/sh").args(["-c", &script, &mark]).cgroups().start() {
        Ok(mut run) => println!("{:?}", run.await_end()),
        Err(error) => println!("{error}"),
    }
}

#[test]
fn whoever_is_killed_takes_the_sandbox_along() {
    let _machine = MACHINE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    an_honest_run();
    let mark = format!("killed-{}", std::process::id());
    let mut noise = Noise::default();
    noise.learn(&mark, 3);
    let before = Fingerprint::take(&mark);
    for blow in BLOWS.iter().flat_map(|blow| std::iter::repeat_n(blow, KILLS)) {
        let mut check = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::a_check_in_the_middle_of_a_run", "--ignored"])
            .env(MARK, &mark)
            // A sandbox may outlive its supervisor, and not the check.
            .env("NAMESPACES_BY_HAND_PATIENCE", "0.2")
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        sleep(Duration::from_micros(random() % MOMENTS.as_micros() as u64));
        if !(blow.strike)(&check) {
            _ = check.kill();
        }
        let deadline = Instant::now() + patience();
        while check.try_wait().unwrap().is_none() || somebody_is_left(&mark) {
            assert!(Instant::now() < deadline, "{}: it hangs, or somebody is left", blow.name);
            sleep(Duration::from_millis(2));
        }
    }
    an_honest_run();
    let changed = noise.changed(&before, &mark, Duration::from_secs(10));
    assert!(changed.is_empty(), "the machine is not as it was: {changed:#?}");
}
