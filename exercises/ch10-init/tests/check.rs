//! `ch10-init -- COMMAND`: a PID 1 that reaps, passes signals on, and ends when COMMAND ends.

use std::thread::{sleep, yield_now};
use std::time::{Duration, Instant};

use harness::look::{Kind, Process};
use harness::sandbox::{Sandbox, Wait, patience};
use harness::{Attempt, Report, Seen, assert_report, exercise, random, step};
use nix::sys::signal::Signal;

/// How many orphans PID 1 gets. The lab stops a program with more than 150 processes.
const ORPHANS: usize = 100;
/// In how many runs a signal is sent during the start.
const RUNS: usize = 5;

/// Runs a shell script as COMMAND.
fn script(text: &str) -> Sandbox {
    exercise!().args(["--", "/bin/sh", "-c", text])
}

/// Reports COMMAND's position in its PID namespace, and returns its PID 1 if that is its parent.
fn report_position(attempt: &mut Attempt, command: &Process) -> Option<Process> {
    let parent = command.parent().and_then(|pid| Process::open(pid).ok());
    let lab = attempt.run.lab().get(Kind::Pid);
    let new = Seen::of(Process::open(command.pid()).ok()?).ok()?.namespaces.get(Kind::Pid) != lab;
    let init = parent.filter(|parent| new && parent.own_pid() == Some(1));
    let position = match (new, command.own_pid(), &init) {
        (false, ..) => "in the lab's PID namespace",
        (true, Some(1), _) => "PID 1 itself",
        (true, _, Some(_)) => "a child of PID 1 in a new PID namespace",
        (true, _, None) => "in a new PID namespace, but not a child of its PID 1",
    };
    attempt.report.line("COMMAND is", position);
    init
}

/// Runs the program once and looks at COMMAND while it is parked.
fn report() -> Report {
    let mut attempt = Attempt::start(exercise!().witness());
    if let Some(command) = attempt.command() {
        report_position(&mut attempt, &command.process);
        let blocked = command.blocked_signals();
        let blocked =
            blocked.map_or("cannot be read", |set| if set == 0 { "none" } else { "some" });
        attempt.report.line("signals that COMMAND blocks", blocked);
    }
    attempt.release();
    attempt.finish()
}

/// COMMAND is a child of PID 1, and PID 1 is still your program.
#[step]
fn step1_command_is_a_child_of_pid_1() {
    assert_report!(report().lines(&["COMMAND is"]), @"COMMAND is: a child of PID 1 in a new PID namespace");
}

/// Waits until `done`, but not longer than a check's patience.
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

/// A hundred processes lose their parent, and PID 1 becomes their new parent. Then all of them end while
/// PID 1 is stopped, so that one SIGCHLD stands for all. When PID 1 continues, it reaps each of them, and
/// no zombie is left.
#[step]
fn step2_orphans_are_reaped_even_if_many_end_at_once() {
    // Each waits for a line that never comes. `read` is a shell builtin, so it needs no exec.
    let orphans = "read line <&3 & ".repeat(ORPHANS);
    let text = format!("mkfifo /tmp/line; exec 3<>/tmp/line; ({orphans}); exec {{witness}} 3<&-");
    let mut attempt = Attempt::start(script(&text));
    if let Some(command) = attempt.command()
        && let Some(init) = report_position(&mut attempt, &command.process)
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

/// Sends a signal to `target`, and waits until it has come to COMMAND, which is a shell with a trap for
/// it. The trap executes the witness in the shell's place.
fn signal_arrives(report: &mut Report, key: &str, signal: Signal, target: Target) {
    let name = signal.as_str().trim_start_matches("SIG");
    // The first witness shows that the trap is set.
    let text = format!("trap 'exec {{witness}}' {name}; {{witness}} & wait");
    let mut attempt = Attempt::start(script(&text));
    let shell = attempt.command().and_then(|first| first.process.parent());
    let shell = shell.and_then(|shell| Process::open(shell).ok());
    let init = shell.as_ref().and_then(|shell| report_position(&mut attempt, shell));
    let outcome = match (shell, init) {
        (Some(shell), Some(init)) => {
            let program = attempt.run.program();
            let target = match target {
                Target::Init => &init,
                Target::Program => program,
            };
            // A program that does not wait has ended by now, and the sandbox with it.
            if program.has_ended() || target.signal(signal).is_err() {
                "was not sent: your program or its PID 1 had ended already"
            } else {
                match attempt.run.await_nth_witness(1) {
                    (Wait::Reached, Some(second)) if second.pid() == shell.pid() => {
                        "comes to COMMAND"
                    }
                    (Wait::Ended, _) => "ends your program, but does not come to COMMAND",
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
enum Target {
    Init,
    Program,
}

/// A SIGTERM that is sent to PID 1 comes to COMMAND, and so does another signal that is sent to your
/// program, the parent of PID 1 outside. COMMAND itself has no signals blocked, as your program had none
/// when it was started.
#[step]
fn step3_signals_are_passed_on_to_command() {
    let mut report = report();
    signal_arrives(&mut report, "SIGTERM to PID 1", Signal::SIGTERM, Target::Init);
    let others =
        [Signal::SIGHUP, Signal::SIGINT, Signal::SIGQUIT, Signal::SIGUSR1, Signal::SIGUSR2];
    let signal = others[random() as usize % others.len()];
    report.role(signal.as_str(), "SIGNAL");
    signal_arrives(&mut report, "another signal to your program", signal, Target::Program);
    assert_report!(report.lines(&["COMMAND is", "SIGTERM", "another signal", "signals"]), @r"
    COMMAND is: a child of PID 1 in a new PID namespace
    signals that COMMAND blocks: none
    SIGTERM to PID 1: comes to COMMAND
    another signal to your program: comes to COMMAND
    ");
}

/// Your program exits with COMMAND's status, with 128 plus the signal's number if a signal ended COMMAND,
/// and with 127 if COMMAND could not be executed. It does not wait for processes that COMMAND has left
/// behind, because they end with PID 1.
#[step]
fn step4_however_command_ends_your_program_ends_with_its_status() {
    let mut report = report();

    let mut attempt = Attempt::start(exercise!().witness());
    if let Some(command) = attempt.command() {
        command.process.kill();
    }
    report.ending("a COMMAND that was killed", &attempt.finish());

    let missing = Attempt::start(exercise!().args(["--", "/lab/missing"])).finish();
    report.ending("a COMMAND that is missing", &missing);

    let mut attempt = Attempt::start(script("sleep 1000 & exec {witness}"));
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

/// A process enters the namespace with setns(2), as with `docker exec`, and loses its parent. Your
/// program is a subreaper here, as container managers are, so it becomes the new parent. When COMMAND ends,
/// your program ends as well: it must not wait for PID 1 while PID 1 waits for it.
#[step]
fn step5_a_process_that_has_entered_does_not_delay_the_end() {
    let mut attempt = Attempt::start(exercise!().witness().orphan());
    let init =
        attempt.command().and_then(|command| report_position(&mut attempt, &command.process));
    let entered = init.is_some_and(|init| {
        let program = attempt.run.program();
        let levels = |process: &Process| Some(process.status("NSpid")?.split_whitespace().count());
        let is_inside =
            |child: &Process| child.pid() != init.pid() && levels(child) == levels(&init);
        until(|| program.children().iter().any(is_inside))
    });
    attempt.release();
    let (mut report, finished) = (report(), attempt.finish());
    if entered {
        report.ending("with a process that entered", &finished);
    } else {
        report.line("with a process that entered", "no process could enter");
    }
    assert_report!(report.lines(&["COMMAND is", "with a process"]), @r"
    COMMAND is: a child of PID 1 in a new PID namespace
    with a process that entered: exit status COMMAND's, left behind: nothing
    ");
}

/// The check sends SIGTERM to PID 1 as soon as that exists, perhaps before it has started COMMAND. The
/// signal is not lost: it ends COMMAND. (The kernel drops a signal that PID 1 neither blocks nor handles.)
#[step]
fn step6_a_signal_during_the_start_is_not_lost() {
    let mut report = report();
    let has_pid_1 =
        report.fact("COMMAND is").is_some_and(|position| position.contains("a child of PID 1"));
    // Several runs are more likely to hit the gap. A program without a gap passes all of them.
    for run in (1..=RUNS).filter(|_| has_pid_1) {
        let attempt = Attempt::start(exercise!().witness());
        let program = attempt.run.program();
        let deadline = Instant::now() + patience();
        while !program.has_ended()
            && !below(program).iter().any(terminate_pid_1)
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

/// Children and grandchildren, because a program may have a process between itself and PID 1.
fn below(program: &Process) -> Vec<Process> {
    let children = program.children();
    let grandchildren: Vec<Process> = children.iter().flat_map(Process::children).collect();
    children.into_iter().chain(grandchildren).collect()
}

/// Sends SIGTERM to the process if it is a PID 1, and returns whether it did.
fn terminate_pid_1(process: &Process) -> bool {
    process.own_pid() == Some(1) && process.signal(Signal::SIGTERM).is_ok()
}
