//! `ch10-init -- COMMAND`: a PID 1 that reaps, passes signals on, and ends when COMMAND does.

use std::thread::{sleep, yield_now};
use std::time::{Duration, Instant};

use harness::look::{Kind, Process};
use harness::sandbox::{Wait, patience};
use harness::{Attempt, Exercise, Report, Seen, assert_report, exercise, random};
use nix::sys::signal::Signal;

/// How many orphans PID 1 gets. The lab stops a program that has more than 150 processes.
const ORPHANS: usize = 100;
/// How often a signal is sent during the start.
const RUNS: usize = 5;

/// Runs a shell script as COMMAND.
fn script(text: &str) -> Exercise {
    exercise!().args(["--", "/bin/sh", "-c", text])
}

/// Enters in the report where COMMAND is, and returns its PID 1 if that is its parent.
fn place(attempt: &mut Attempt, command: &Process) -> Option<Process> {
    let parent = command.parent().and_then(|pid| Process::open(pid).ok());
    let lab = attempt.run.lab().get(Kind::Pid);
    let new = Seen::of(Process::open(command.pid()).ok()?).ok()?.namespaces.get(Kind::Pid) != lab;
    let init = parent.filter(|parent| new && parent.own_pid() == Some(1));
    let place = match (new, command.own_pid(), &init) {
        (false, ..) => "in the lab's PID namespace",
        (true, Some(1), _) => "PID 1 itself",
        (true, _, Some(_)) => "a child of PID 1 in a new PID namespace",
        (true, _, None) => "in a new PID namespace, and no child of its PID 1",
    };
    attempt.report.line("COMMAND is", place);
    init
}

/// Runs the program once and looks at COMMAND while it is parked.
fn report() -> Report {
    let mut attempt = exercise!().witness().start();
    if let Some(command) = attempt.command() {
        place(&mut attempt, &command.process);
        let blocked = command.process.status("SigBlk");
        let blocked = blocked.as_deref().map_or("cannot be read", |set| {
            if set.bytes().all(|digit| digit == b'0') { "none" } else { "some" }
        });
        attempt.report.line("signals that COMMAND blocks", blocked);
    }
    attempt.release();
    attempt.finish()
}

/// COMMAND is the child of a PID 1 that goes on running your program.
#[test]
fn step1_command_is_a_child_of_pid_1() {
    assert_report!(report().lines(&["COMMAND is"]), @"COMMAND is: a child of PID 1 in a new PID namespace");
}

/// Waits until `done`, at most as long as a check is patient.
fn until(done: impl Fn() -> bool) -> bool {
    let deadline = Instant::now() + patience();
    while !done() {
        if Instant::now() > deadline {
            return false;
        }
        sleep(Duration::from_millis(5));
    }
    true
}

/// A hundred processes below COMMAND lose their parent, and PID 1 becomes their parent. Then all of
/// them end while PID 1 is stopped, so that one SIGCHLD stands for all. When it goes on, it takes
/// the status of each, and no zombie is left.
#[test]
fn step2_orphans_are_reaped_however_many_end_at_once() {
    // Each waits for a line that nobody writes: `read` is the shell's own, and needs no exec.
    let orphans = "read line <&3 & ".repeat(ORPHANS);
    let text = format!("mkfifo /tmp/line; exec 3<>/tmp/line; ({orphans}); exec /lab/witness 3<&-");
    let mut attempt = script(&text).start();
    if let Some(command) = attempt.command()
        && let Some(init) = place(&mut attempt, &command.process)
    {
        let children = || {
            let children = init.children();
            children.into_iter().filter(|child| child.pid() != command.process.pid())
        };
        let orphans: Vec<Process> = children().collect();
        attempt.report.line("orphans", orphans.len());
        _ = init.signal(Signal::SIGSTOP);
        until(|| init.state() == Some('T'));
        orphans.iter().for_each(Process::kill);
        let ended = orphans.iter().filter(|orphan| orphan.await_end(patience())).count();
        attempt.report.line("ended at once", ended);
        _ = init.signal(Signal::SIGCONT);
        until(|| children().next().is_none());
        let zombies = children().filter(Process::has_ended).count();
        attempt.report.line("zombies afterwards", zombies);
    }
    attempt.release();
    assert_report!(attempt.finish().lines(&["COMMAND is", "orphans", "ended", "zombies", "exit status"]), @r"
    COMMAND is: a child of PID 1 in a new PID namespace
    orphans: 100
    ended at once: 100
    zombies afterwards: 0
    exit status: COMMAND's
    ");
}

/// Sends a signal to `whom`, and waits until it has come to COMMAND: a shell that has a trap for it,
/// and starts the witness in its own place then.
fn signal_arrives(report: &mut Report, key: &str, signal: Signal, whom: Whom) {
    let name = signal.as_str().trim_start_matches("SIG");
    // The first witness says that the trap is set.
    let text = format!("trap 'exec /lab/witness' {name}; /lab/witness & wait");
    let mut attempt = script(&text).start();
    let shell = attempt.command().and_then(|first| first.process.parent());
    let shell = shell.and_then(|shell| Process::open(shell).ok());
    let init = shell.as_ref().and_then(|shell| place(&mut attempt, shell));
    let outcome = match (shell, init) {
        (Some(shell), Some(init)) => {
            let program = attempt.run.program();
            let target = match whom {
                Whom::Init => &init,
                Whom::Program => program,
            };
            // A program that does not wait is gone by now, and the sandbox with it.
            if program.has_ended() || target.signal(signal).is_err() {
                "was not sent: your program or its PID 1 had ended already"
            } else {
                match attempt.run.await_nth_witness(1) {
                    (Wait::Reached, Some(second)) if second.pid() == shell.pid() => {
                        "comes to COMMAND"
                    }
                    (Wait::Ended, _) => "ends your program, and does not come to COMMAND",
                    _ => "does not come to COMMAND",
                }
            }
        }
        _ => "was not sent: COMMAND has no PID 1 above it",
    };
    report.line(key, outcome);
    attempt.release();
    _ = attempt.finish();
}

#[derive(Clone, Copy)]
enum Whom {
    Init,
    Program,
}

/// SIGTERM to PID 1 comes to COMMAND, and so does another signal to your program, the parent of
/// PID 1 outside. COMMAND itself blocks no more signals than your program did when it was started.
#[test]
fn step3_signals_come_to_command() {
    let mut report = report();
    signal_arrives(&mut report, "SIGTERM to PID 1", Signal::SIGTERM, Whom::Init);
    let others =
        [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2];
    let signal = others[random() as usize % others.len()];
    report.role(signal.as_str(), "SIGNAL");
    signal_arrives(&mut report, "another signal to your program", signal, Whom::Program);
    assert_report!(report.lines(&["COMMAND is", "SIGTERM", "another signal", "signals"]), @r"
    COMMAND is: a child of PID 1 in a new PID namespace
    signals that COMMAND blocks: none
    SIGTERM to PID 1: comes to COMMAND
    another signal to your program: comes to COMMAND
    ");
}

/// Your program exits with COMMAND's status, with 128 and the signal's number if a signal ended
/// it, and with 127 if it could not be started. It does not wait for what COMMAND has left behind:
/// that ends with PID 1.
#[test]
fn step4_every_end_of_command_is_passed_on_and_nobody_is_waited_for_in_vain() {
    let mut report = report();

    let mut attempt = exercise!().witness().start();
    if let Some(command) = attempt.command() {
        command.process.kill();
    }
    report.ending("a COMMAND that was killed", &attempt.finish());

    let missing = exercise!().args(["--", "/lab/missing"]).start().finish();
    report.ending("a COMMAND that is missing", &missing);

    let mut attempt = script("sleep 1000 & exec /lab/witness").start();
    if attempt.command().is_some() {
        attempt.release();
    }
    report.ending("a COMMAND that leaves a process", &attempt.finish());

    assert_report!(report.lines(&["COMMAND is", "exit status", "left behind", "a COMMAND"]), @r"
    COMMAND is: a child of PID 1 in a new PID namespace
    exit status: COMMAND's
    left behind: nothing
    a COMMAND that was killed: exit status 137, left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    a COMMAND that leaves a process: exit status COMMAND's, left behind: nothing
    ");
}

/// Somebody enters the namespace with setns(2), as `docker exec` does, and loses its parent. Your
/// program outside is a subreaper here, as those are that look after containers, and so it becomes the
/// parent. COMMAND ends, and your program ends with it: it does not wait for PID 1 while PID 1 waits
/// for it.
#[test]
fn step5_a_process_that_entered_does_not_hold_up_the_end() {
    let mut attempt = exercise!().witness().orphan().start();
    let init = attempt.command().and_then(|command| place(&mut attempt, &command.process));
    let came = init.is_some_and(|init| {
        let program = attempt.run.program();
        let levels = |process: &Process| Some(process.status("NSpid")?.split_whitespace().count());
        let is_inside =
            |child: &Process| child.pid() != init.pid() && levels(child) == levels(&init);
        until(|| program.children().iter().any(is_inside))
    });
    attempt.release();
    let (mut report, finished) = (report(), attempt.finish());
    if came {
        report.ending("with a stranger inside", &finished);
    } else {
        report.line("with a stranger inside", "nobody could come in");
    }
    assert_report!(report.lines(&["COMMAND is", "with a stranger"]), @r"
    COMMAND is: a child of PID 1 in a new PID namespace
    with a stranger inside: exit status COMMAND's, left behind: nothing
    ");
}

/// SIGTERM comes to PID 1 as soon as there is one, perhaps before it has started COMMAND. It is not
/// lost: COMMAND ends by it. (The kernel drops a signal that PID 1 neither blocks nor handles.)
#[test]
fn step6_a_signal_during_the_start_is_not_lost() {
    let mut report = report();
    let has_pid_1 = report.fact("COMMAND is").is_some_and(|place| place.contains("child of PID 1"));
    // Who asks several times finds the gap sooner. A program without one never fails.
    for run in (1..=RUNS).filter(|_| has_pid_1) {
        let attempt = exercise!().witness().start();
        let program = attempt.run.program();
        let deadline = Instant::now() + patience();
        while !program.has_ended()
            && !below(program).iter().any(is_told_to_end)
            && Instant::now() < deadline
        {
            yield_now();
        }
        let finished = attempt.finish();
        let lost = finished.fact("exit status").as_deref() != Some("143");
        if lost || run == RUNS {
            report.ending("SIGTERM at once", &finished);
            break;
        }
    }
    assert_report!(report.lines(&["COMMAND is", "SIGTERM at once"]), @r"
    COMMAND is: a child of PID 1 in a new PID namespace
    SIGTERM at once: exit status 143, left behind: nothing
    ");
}

/// Children and grandchildren: a program may have a process between itself and PID 1.
fn below(program: &Process) -> Vec<Process> {
    let children = program.children();
    let grandchildren: Vec<Process> = children.iter().flat_map(Process::children).collect();
    children.into_iter().chain(grandchildren).collect()
}

/// Whether it is a PID 1, and has been sent SIGTERM.
fn is_told_to_end(process: &Process) -> bool {
    process.own_pid() == Some(1) && process.signal(Signal::SIGTERM).is_ok()
}
