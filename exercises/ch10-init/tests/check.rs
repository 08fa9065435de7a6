//! `ch10-init -- COMMAND`: a PID 1 that reaps, passes signals on, and ends when COMMAND ends.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::thread::yield_now;
use std::time::Instant;

use harness::look::{Kind, Process};
use harness::sandbox::{Sandbox, Wait, patience};
use harness::{
    Attempt, GONE, Report, Seen, assert_report, exercise, high_status, left_of_a_killed,
    left_of_an_orphan, random, step, token, until,
};
use nix::libc;
use nix::sys::signal::Signal::{self, *};

/// The signals that are passed on.
const PASSED_ON: [Signal; 6] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2];

/// The program has run in this lab before, and COMMAND is a shell that becomes the witness.
const AGAIN: &str = r#""$0" -- /bin/true; shift; exec "$0" -- /bin/sh -c 'exec "$@"' sh "$@""#;

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
        (_, None, _) => GONE,
        (false, ..) => "in the lab's PID namespace",
        (true, Some(1), _) => "PID 1 itself",
        (true, _, Some(init)) if init.executes_the_same_as(attempt.run.program()) => {
            "a child of PID 1 in a new PID namespace"
        }
        (true, _, Some(_)) if attempt.run.program().has_ended() => {
            "a child of PID 1, but your process outside has ended"
        }
        (true, _, Some(_)) => "a child of a PID 1 that is not your program",
        (true, _, None) => "in a new PID namespace, but not a child of its PID 1",
    };
    attempt.report.line("COMMAND is", position);
    if command.next_child_is_pid_1() {
        attempt.report.aside("COMMAND's next child", "would be PID 1");
    }
    let both = [("PID 1", init.as_ref()), ("your program", Some(attempt.run.program()))];
    let both = both.map(|(name, process)| (name, process.and_then(dispositions)));
    for (name, [of_child, of_six]) in both.into_iter().filter_map(|(name, of)| Some((name, of?))) {
        attempt.report.aside(&format!("SIGCHLD in {name}"), of_child);
        attempt.report.aside(&format!("the six signals in {name}"), of_six);
    }
    init
}

/// What a process does with SIGCHLD, and with the signals that are passed on.
fn dispositions(process: &Process) -> Option<[&'static str; 2]> {
    let set =
        |signals: &[Signal]| signals.iter().fold(0, |set, signal| set | 1 << (*signal as u32 - 1));
    let blocked = process.bits("SigBlk")? | waited_for(process).unwrap_or(0);
    let kept = blocked | process.bits("SigCgt")?;
    let of_child = match set(&[SIGCHLD]) {
        set if set & process.bits("SigIgn")? != 0 => "ignored",
        set if set & kept != 0 => "blocked or handled",
        _ => "neither blocked nor handled",
    };
    let of_six = match set(&PASSED_ON) {
        set if set & kept == set => "blocked or handled",
        set if set & kept == 0 => "neither blocked nor handled",
        _ => "some neither blocked nor handled",
    };
    Some([of_child, of_six])
}

/// The set with which a process is in sigwait(3). Meanwhile these signals are not among those that it
/// blocks (`do_sigtimedwait` in `kernel/signal.c`).
fn waited_for(process: &Process) -> Option<u64> {
    let call = fs::read_to_string(format!("/proc/{}/syscall", process.pid())).ok()?;
    let mut words = call.split(' ');
    if words.next()?.parse() != Ok(libc::SYS_rt_sigtimedwait) {
        return None;
    }
    let address = u64::from_str_radix(words.next()?.trim_start_matches("0x"), 16).ok()?;
    let memory = fs::File::open(format!("/proc/{}/mem", process.pid())).ok()?;
    let mut set = [0; 8];
    memory.read_exact_at(&mut set, address).ok()?;
    Some(u64::from_ne_bytes(set))
}

/// Runs the program once and looks at COMMAND while it is parked.
fn report() -> Report {
    report_of(exercise!())
}

fn report_of(sandbox: Sandbox) -> Report {
    let mut attempt = Attempt::start(sandbox.witness());
    if let Some(command) = attempt.command() {
        report_position(&mut attempt, &command.process);
        let blocked = command.blocked_signals();
        let blocked =
            blocked.map_or("cannot be read", |set| if set == 0 { "none" } else { "some" });
        attempt.report.line("signals that COMMAND blocks", blocked);
        let six: u64 = PASSED_ON.iter().map(|signal| 1 << (*signal as i32 - 1)).sum();
        if command.process.bits("SigIgn").is_some_and(|ignored| ignored & six != 0) {
            attempt.report.aside("signals that COMMAND ignores", "some of the six");
        }
    }
    attempt.release();
    attempt.finish()
}

/// COMMAND is a child of PID 1, and PID 1 is still your program.
#[step]
fn step1_command_is_a_child_of_pid_1() {
    assert_report!(report().lines(&["COMMAND is"]), @"COMMAND is: a child of PID 1 in a new PID namespace");
}

/// About a hundred processes lose their parent, and PID 1 becomes their new parent. Then all of them end while
/// PID 1 is stopped, so that one SIGCHLD stands for all. When PID 1 continues, it reaps each of them, and
/// no zombie is left.
#[step]
fn step2_orphans_are_reaped_even_if_many_end_at_once() {
    // The lab stops a program with more than 150 processes.
    let asked = 80 + random() as usize % 41;
    let of_all = |some: usize| match some {
        0 => "none".to_owned(),
        some if some == asked => "all".to_owned(),
        some => format!("{some} of {asked}"),
    };
    // Each waits for a line that never comes. `read` is a shell builtin, so it needs no exec.
    let orphans = "read line <&3 & ".repeat(asked);
    let text = format!("mkfifo /tmp/line; exec 3<>/tmp/line; ({orphans}); exec {{witness}} 3<&-");
    let mut attempt = Attempt::start(script(&text));
    if let Some(command) = attempt.command()
        && let Some(init) = report_position(&mut attempt, &command.process)
    {
        let mut orphans = init.children();
        orphans.retain(|child| child.pid() != command.process.pid());
        attempt.report.line("orphans", of_all(orphans.len()));
        _ = init.signal(SIGSTOP);
        until(|| init.state() == Some('T'));
        orphans.iter().for_each(Process::kill);
        let ended = orphans.iter().filter(|orphan| orphan.await_end(patience())).count();
        attempt.report.line("ended at once", of_all(ended));
        _ = init.signal(SIGCONT);
        // Each by itself: while PID 1 reaps, the kernel's list of its children may be cut short.
        let is_zombie = |orphan: &&Process| orphan.state() == Some('Z');
        until(|| !orphans.iter().any(|orphan| is_zombie(&orphan)));
        let zombies = orphans.iter().filter(is_zombie).count();
        attempt.report.line("zombies afterwards", of_all(zombies));
        attempt.report.aside("orphans that PID 1 reaped", ended.saturating_sub(zombies));
        attempt.report.aside("PID 1 is in", init.waits_in().unwrap_or_default());
    }
    attempt.release();
    assert_report!(attempt.finish().lines(&["COMMAND is", "orphans", "ended", "zombies", "exit status"]), @r"
    COMMAND is: a child of PID 1 in a new PID namespace
    orphans: all
    ended at once: all
    zombies afterwards: none
    exit status: COMMAND's
    ");
}

/// What is reported of a process that passes on each of the signals.
const ALL_SIX: &str = "all six come to COMMAND";

/// Sends all of the signals to PID 1, and then all of them to the program. COMMAND is a shell with a trap
/// for each, which starts a witness in the background. Before the first signal both processes of the program
/// have had a SIGCHLD after which their child still runs.
fn report_signals(report: &mut Report) {
    let names = PASSED_ON.map(|signal| signal.as_str().trim_start_matches("SIG")).join(" ");
    // A first witness shows that the traps are set. It must not get any of the signals.
    let text = format!(
        "(: &); for name in {names}; do trap \"NAME=SIG$name {{witness}} &\" $name; done
        {{witness}} & until wait; do :; done"
    );
    let mut attempt = Attempt::start(script(&text));
    let child = attempt.command();
    let shell = child.as_ref().and_then(|child| child.process.parent());
    let shell = shell.and_then(|shell| Process::open(shell).ok());
    let init = shell.as_ref().and_then(|shell| report_position(&mut attempt, shell));
    if let Some(init) = &init {
        until(|| init.children().len() == 1);
        _ = init.signal(SIGSTOP);
        until(|| init.state() == Some('T'));
        _ = init.signal(SIGCONT);
    }
    let mut witnesses = 1;
    for receiver in ["PID 1", "your program"] {
        let mut outcome = ALL_SIX.to_owned();
        let first = random() as usize;
        for signal in (0..PASSED_ON.len()).map(|next| PASSED_ON[(first + next) % PASSED_ON.len()]) {
            let (Some(child), Some(shell), Some(init)) = (&child, &shell, &init) else {
                outcome = "were not sent: COMMAND has no PID 1 above it".to_owned();
                break;
            };
            // The shell takes a signal at once while it waits.
            shell.await_rest(patience());
            let program = attempt.run.program();
            let target = if receiver == "PID 1" { init } else { program };
            let sent = !program.has_ended() && target.signal(signal).is_ok();
            let (wait, witness) = attempt.run.await_nth_witness(witnesses);
            witnesses += 1;
            let came = witness.and_then(|witness| witness.environment("NAME"));
            outcome = match came.as_deref() {
                _ if !sent => format!("{signal} was not sent: your program had ended already"),
                Some(_) if child.process.has_ended() => format!("{signal} comes to others as well"),
                Some(name) if name == signal.as_str() => continue,
                Some(name) => format!("{signal} comes to COMMAND as {name}"),
                None if wait == Wait::Ended => format!("{signal} ends your program"),
                None => format!("{signal} does not come to COMMAND"),
            };
            break;
        }
        report.line(&format!("signals to {receiver}"), outcome);
        if let ("PID 1", Some(init)) = (receiver, &init) {
            report.aside("PID 1 is in", init.waits_in().unwrap_or_default());
        }
    }
    attempt.release();
    let ended = attempt.finish();
    report.aside("its end after the signals", ended.fact("exit status").unwrap_or_default());
    if !["PID 1", "your program"].iter().all(|receiver| passes_all_on(report, receiver)) {
        ended.facts("stderr").for_each(|text| report.aside("stderr", text));
    }
}

fn passes_all_on(report: &Report, receiver: &str) -> bool {
    report.fact(&format!("signals to {receiver}")).as_deref() == Some(ALL_SIX)
}

/// Each of the six signals that is sent to PID 1 comes to COMMAND, and to no other process. So does each
/// that is sent to your program, the parent of PID 1 outside. COMMAND itself has no signals blocked, as your
/// program had none when it was started. Before the first signal an orphan ends, and PID 1 is stopped and
/// continued: each is a SIGCHLD, for PID 1 and for your program.
#[step]
fn step3_signals_are_passed_on_to_command() {
    let mut report = report();
    report_signals(&mut report);
    assert_report!(report.lines(&["COMMAND is", "signals"]), @r"
    COMMAND is: a child of PID 1 in a new PID namespace
    signals that COMMAND blocks: none
    signals to PID 1: all six come to COMMAND
    signals to your program: all six come to COMMAND
    ");
}

/// Your program exits with COMMAND's status, with 128 plus the signal's number if a signal ended COMMAND,
/// and with 127 if there is no COMMAND. It does not wait for processes that COMMAND has left behind, because
/// they end with PID 1.
#[step]
fn step4_however_command_ends_your_program_ends_with_its_status() {
    let mut report = report_of(exercise!().script(AGAIN));
    high_status(&mut report, exercise!());

    let signals = [SIGABRT, SIGUSR1, SIGSEGV, SIGALRM, SIGTERM];
    let signal = signals[random() as usize % signals.len()];
    let mut attempt = Attempt::start(exercise!().witness());
    attempt.report.role(&(128 + signal as i32).to_string(), "128 + N");
    if let Some(command) = attempt.command() {
        _ = command.process.signal(signal);
    }
    report.ending("a COMMAND that was killed", &attempt.finish());

    let missing = format!("/lab/{}", token("missing"));
    for (key, command) in
        [("a COMMAND that is missing", missing.as_str()), ("a COMMAND that is a directory", "/tmp")]
    {
        report.ending(key, &Attempt::start(exercise!().args(["--", command])).finish());
    }

    let mut attempt = Attempt::start(script("sleep 1000 & exec {witness}"));
    if attempt.command().is_some() {
        attempt.release();
    }
    report.ending("a COMMAND that leaves a process", &attempt.finish());

    assert_report!(report.lines(&["COMMAND is", "exit status", "left behind", "a COMMAND"]), @r"
    COMMAND is: a child of PID 1 in a new PID namespace
    exit status: COMMAND's
    left behind: nothing
    a COMMAND with a high status: exit status HIGH, left behind: nothing
    a COMMAND that was killed: exit status 128 + N, left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    a COMMAND that is a directory: exit status 127, left behind: nothing
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
    let entered = init.as_ref().is_some_and(|init| {
        let program = attempt.run.program();
        let levels = |process: &Process| Some(process.status("NSpid")?.split_whitespace().count());
        let is_inside =
            |child: &Process| child.pid() != init.pid() && levels(child) == levels(init);
        until(|| program.has_ended() || program.children().iter().any(is_inside))
            && !program.has_ended()
    });
    let ended_early = init.is_some() && attempt.run.program().has_ended();
    attempt.release();
    let (mut report, finished) = (report(), attempt.finish());
    if entered {
        report.ending("with a process that entered", &finished);
    } else if ended_early {
        report.line("with a process that entered", "your program ends before COMMAND");
    } else {
        report.line("with a process that entered", "no process could enter");
    }
    assert_report!(report.lines(&["COMMAND is", "with a process"]), @r"
    COMMAND is: a child of PID 1 in a new PID namespace
    with a process that entered: exit status COMMAND's, left behind: nothing
    ");
}

/// The check sends SIGTERM to PID 1 before that has run for the first time. The signal is not lost: it ends
/// COMMAND. (The kernel drops a signal that PID 1 neither blocks nor handles.)
#[step]
fn step6_a_signal_during_the_start_is_not_lost() {
    let mut report = report();
    let attempt = Attempt::start(exercise!().hold_pid_1().witness());
    let program = attempt.run.program();
    let deadline = Instant::now() + patience();
    while !program.has_ended()
        && !below(program).iter().any(terminate_pid_1)
        && Instant::now() < deadline
    {
        yield_now();
    }
    report.ending("SIGTERM at once", &attempt.finish());
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
    process.own_pid() == Some(1) && process.signal(SIGTERM).is_ok()
}

/// SIGKILL cannot be passed on. But when it ends your program, the process outside, PID 1 and COMMAND end as
/// well. That is so while COMMAND runs, and also if PID 1 has not yet run for the first time.
#[step]
fn further7_all_of_it_ends_with_the_process_outside() {
    let mut report = Report::default();
    // A COMMAND that ignores the signals ends with PID 1 all the same.
    let deaf = "trap '' HUP INT QUIT TERM USR1 USR2; exec {witness}";
    let mut attempt = Attempt::start(script(deaf));
    let under_init = attempt
        .command()
        .is_some_and(|command| report_position(&mut attempt, &command.process).is_some());
    let left = left_of_a_killed(&attempt.run);
    let left = if under_init { left } else { "there was no PID 1" };
    report.line("left when COMMAND runs", left);
    let script = "kill -STOP $$; exec \"$0\" -- {witness}";
    let left = left_of_an_orphan(&mut report, exercise!().script(script));
    report.line("left when PID 1 has not run", left);
    assert_report!(report.lines(&["left"]), @r"
    left when COMMAND runs: no process
    left when PID 1 has not run: no process
    ");
}

/// Started in the foreground of a terminal, your program leaves it to COMMAND, which is alone in the foreground
/// process group, so that Ctrl-C is for COMMAND only. Ctrl-Z stops COMMAND, and your process outside stops as
/// well. When the shell continues it in the foreground, COMMAND runs and has the terminal again. When COMMAND has
/// ended, the process group that your program was started in has it back.
#[step]
fn further8_on_a_terminal_command_is_in_the_foreground() {
    let job = r#"set -m; "$0" -- {witness}; read line; fg > /dev/null"#;
    let mut attempt = Attempt::start(exercise!().script(job).terminal());
    if let Some(command) = attempt.command() {
        let command = &command.process;
        let above = |process: &Process| process.parent().and_then(|pid| Process::open(pid).ok());
        let init = above(command);
        let outside = init.as_ref().and_then(above);
        report_foreground(&mut attempt.report, "in the foreground", command, [&init, &outside]);

        type_in(&attempt, b"\x1a");
        let has_stopped = |process: &Process| process.state() == Some('T');
        let both = || has_stopped(command) && outside.as_ref().is_some_and(has_stopped);
        until(both);
        let stopped = match (has_stopped(command), outside.as_ref().is_some_and(has_stopped)) {
            (true, true) => "COMMAND and your program",
            (true, false) => "COMMAND, and your program runs",
            (false, true) => "your program, and COMMAND runs",
            (false, false) => "no process",
        };
        attempt.report.line("Ctrl-Z stops", stopped);

        type_in(&attempt, b"\n");
        until(|| !has_stopped(command) && is_in_foreground(command) == Some(true));
        let state = if has_stopped(command) { "stopped" } else { "running" };
        attempt.report.line("after that COMMAND is", state);
        report_foreground(
            &mut attempt.report,
            "then in the foreground",
            command,
            [&init, &outside],
        );
    }
    attempt.release();
    let mut report = attempt.finish();

    let mut attempt = Attempt::start(exercise!().script(r#"exec "$0" -- {witness}"#).terminal());
    if attempt.command().is_some() {
        type_in(&attempt, b"\x03");
    }
    report.ending("Ctrl-C", &attempt.finish());

    let after = r#""$0" -- /bin/true; exec {witness}"#;
    let mut attempt = Attempt::start(exercise!().script(after).terminal());
    let next = attempt.command().and_then(|next| is_in_foreground(&next.process));
    let next = match next {
        Some(true) => "in the foreground",
        Some(false) => "in the background",
        None => "on no terminal",
    };
    report.line("the next program is", next);
    attempt.release();
    _ = attempt.finish();
    assert_report!(report.lines(&["in the foreground", "Ctrl", "after that", "then", "the next", "exit status"]), @r"
    in the foreground: COMMAND alone
    Ctrl-Z stops: COMMAND and your program
    after that COMMAND is: running
    then in the foreground: COMMAND alone
    exit status: COMMAND's
    Ctrl-C: exit status 130, left behind: nothing
    the next program is: in the foreground
    ");
}

/// Types on the program's terminal.
fn type_in(attempt: &Attempt, keys: &[u8]) {
    if let Some(terminal) = attempt.run.terminal() {
        _ = nix::unistd::write(terminal, keys);
    }
}

/// Whether a process is in the foreground process group of its terminal. `None` if it has no terminal, or
/// has ended.
fn is_in_foreground(process: &Process) -> Option<bool> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", process.pid())).ok()?;
    // After the name and the state: parent, group, session, terminal, foreground group (proc_pid_stat(5)).
    let fields: Vec<i64> = stat
        .rsplit(") ")
        .next()?
        .split(' ')
        .skip(1)
        .map_while(|field| field.parse().ok())
        .collect();
    let [_, group, _, terminal, foreground, ..] = fields[..] else { return None };
    (terminal != 0).then_some(group == foreground)
}

/// Reports which of COMMAND, PID 1 and the process outside are in the terminal's foreground process group.
fn report_foreground(
    report: &mut Report,
    line: &str,
    command: &Process,
    [init, outside]: [&Option<Process>; 2],
) {
    let is_there =
        |process: &Option<Process>| process.as_ref().and_then(is_in_foreground) == Some(true);
    let there = match (is_in_foreground(command), is_there(init) || is_there(outside)) {
        (None, _) => "nothing: COMMAND has no terminal",
        (Some(true), false) => "COMMAND alone",
        (Some(true), true) => "COMMAND, and your program as well",
        (Some(false), true) => "your program",
        (Some(false), false) => "neither COMMAND nor your program",
    };
    report.line(line, there);
}
