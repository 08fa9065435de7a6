//! `ch03-clone NAME -- COMMAND`: a child that is born in new namespaces.

use std::time::{Duration, Instant};

use harness::look::Process;
use harness::sandbox::{Fixture, Neighbor, Sandbox, patience};
use harness::{
    Attempt, GONE, Report, Seen, assert_report, exercise, high_status, letters, random, step, token,
};
use nix::sys::signal::Signal;

/// Runs the program once, and looks at it and at COMMAND while COMMAND is parked.
fn report(program: Sandbox) -> Report {
    let name = letters(9..60);
    // In an empty lab the first child's pid would be the number of the first descriptor.
    let program = program.neighbor(Neighbor { name: "other".into(), ..Neighbor::default() });
    let mut attempt = Attempt::start(program.arg(&name).witness());
    attempt.report.role(&name, "NAME");
    if let Some(command) = attempt.command() {
        attempt.row_of_program();
        attempt.history_of(&command);
        let program = attempt.run.program();
        let parent = match command.process.parent() {
            Some(parent) if parent == program.pid() => "your program",
            Some(_) => "another process",
            None => GONE,
        };
        attempt.report.line("parent of COMMAND", parent);
        attempt.report.line("pidfd of COMMAND", pidfd_of(&command.process, program));
        attempt.look("host name of COMMAND", &command, Seen::host_name);
    }
    attempt.release();
    attempt.finish()
}

fn pidfd_of(command: &Process, program: &Process) -> &'static str {
    if program.holds_pidfd_of(command) { "held by your program" } else { "your program has none" }
}

/// COMMAND is in UTS and IPC namespaces of its own, and was born there: your program stays in the lab's
/// all the time. With clone3(2) only the child is in new namespaces, while unshare(2) would move the
/// parent as well.
#[step]
fn step1_the_child_is_born_in_new_namespaces_and_the_parent_stays() {
    assert_report!(report(exercise!().record()).table(&["COMMAND", "birth", "your program"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     A    A    A    B    B    A       A
    program  A     A    A    A    A    A    A       A
    birth of COMMAND: in namespaces of its own
    your program: never moved
    ");
}

/// When COMMAND starts, the host name in its namespace is the one from the command line, and the lab's
/// own has never changed. Only the child is in the new namespace, so the child must set the name.
#[step]
fn step2_the_child_sets_the_host_name_of_its_namespace() {
    assert_report!(report(exercise!().hold_parents()).lines(&["host name of COMMAND", "lab"]), @r"
    host name of COMMAND: NAME
    lab afterwards: unchanged
    lab meanwhile: unchanged
    ");
}

/// Your program is the parent of COMMAND and holds a pidfd of it: a descriptor that can only mean this
/// child. The call that made the child has made the pidfd as well.
#[step]
fn step3_the_parent_holds_a_pidfd_of_the_child() {
    assert_report!(report(exercise!().record()).lines(&["host name of COMMAND", "parent", "pidfd", "origin"]), @r"
    parent of COMMAND: your program
    pidfd of COMMAND: held by your program
    host name of COMMAND: NAME
    origin of the pidfd: the call that made COMMAND
    ");
}

/// Your program exits with COMMAND's status, with 128 plus the signal's number if a signal ended
/// COMMAND, and with 127 if COMMAND could not be executed. No child is left, dead or alive.
#[step]
fn step4_however_the_child_ends_its_status_is_passed_on() {
    const SIGNALS: [Signal; 4] =
        [Signal::SIGHUP, Signal::SIGUSR1, Signal::SIGUSR2, Signal::SIGTERM];
    let mut report = report(exercise!());

    let signal = SIGNALS[random() as usize % SIGNALS.len()];
    let name = letters(9..60);
    report.role(&name, "NAME");
    let mut attempt = Attempt::start(exercise!().arg(&name).witness());
    if let Some(command) = attempt.command() {
        report.line("host name before the signal", command.host_name());
        _ = command.process.signal(signal);
    }
    report.role(&format!("exit status {},", 128 + signal as i32), "exit status 128 + SIGNAL,");
    report.ending("a COMMAND that a signal ended", &attempt.finish());

    high_status(&mut report, exercise!().arg(&name));

    let path = format!("/tmp/{}", token("missing"));
    let run = |program: Sandbox| Attempt::start(program.args([&name, "--", &path])).finish();
    report.ending("a COMMAND that is missing", &run(exercise!()));
    let text = Fixture::File("Not a program.".into());
    report.ending("a COMMAND that is no program", &run(exercise!().fixture(&path, text)));

    assert_report!(report.lines(&["host name", "exit status", "left behind", "a COMMAND"]), @r"
    host name of COMMAND: NAME
    exit status: COMMAND's
    left behind: nothing
    host name before the signal: NAME
    a COMMAND that a signal ended: exit status 128 + SIGNAL, left behind: nothing
    a COMMAND with a high status: exit status HIGH, left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    a COMMAND that is no program: exit status 127, left behind: nothing
    ");
}

/// What a clock tick and a busy machine may take from a life.
const TOLERANCE: Duration = Duration::from_millis(50);

/// Waits for the end of COMMAND, and says when it came.
fn end_of(command: &Process, deadline: Duration) -> &'static str {
    let (seen, age) = (Instant::now(), command.age().unwrap_or_default());
    let has_ended = command.await_end(patience());
    match age + seen.elapsed() + TOLERANCE >= deadline {
        _ if !has_ended => "long after its deadline it still runs",
        true => "at its deadline",
        false => "before its deadline",
    }
}

/// COMMAND runs until its deadline, and not longer. Then your program ends it by a signal through the
/// pidfd, waits for it, and exits with 124. A COMMAND that ends before is not waited for any longer, and
/// its status is yours; one that ignores SIGTERM is ended all the same.
#[step]
fn further5_a_deadline_ends_command_through_the_pidfd() {
    let timed = |milliseconds: u64| exercise!().arg("--deadline").arg(milliseconds.to_string());
    let mut milliseconds = 1000 + random() % 500;
    let name = letters(9..60);
    // On a busy machine a deadline may pass before there is a COMMAND. A later one asks for the same.
    let (mut attempt, command) = loop {
        let start = Instant::now();
        let mut attempt = Attempt::start(timed(milliseconds).arg(&name).witness().record());
        attempt.report.role(&name, "NAME");
        let command = attempt.command();
        let deadline = Duration::from_millis(milliseconds);
        let was_late = command.is_none() && start.elapsed() >= deadline;
        if !was_late || 4 * deadline > 2 * patience() {
            break (attempt, command);
        }
        milliseconds *= 4;
    };
    if let Some(command) = command {
        attempt.history_of(&command);
        let pidfd = pidfd_of(&command.process, attempt.run.program());
        attempt.report.line("pidfd of COMMAND", pidfd);
        attempt.report.line("host name of COMMAND", command.host_name());
        let end = end_of(&command.process, Duration::from_millis(milliseconds));
        attempt.report.line("end of COMMAND", end);
    }
    let mut report = attempt.finish();

    let text = "trap '' TERM; exec sleep 60";
    let program = timed(300 + random() % 500).args([&name, "--", "/bin/sh", "-c", text]);
    report.ending("a COMMAND that ignores SIGTERM", &Attempt::start(program).finish());
    let minutes = 60_000 * (2 + random() % 50);
    high_status(&mut report, timed(minutes).arg(&name));
    let program = timed(minutes).args([&name, "--", &format!("/tmp/{}", token("missing"))]);
    report.ending("a COMMAND that is missing", &Attempt::start(program).finish());

    let lines =
        ["host name", "pidfd", "origin", "sent", "end of", "exit status", "left", "a COMMAND"];
    assert_report!(report.lines(&lines), @r"
    pidfd of COMMAND: held by your program
    host name of COMMAND: NAME
    end of COMMAND: at its deadline
    exit status: 124
    left behind: nothing
    origin of the pidfd: the call that made COMMAND
    sent to COMMAND: a signal through a pidfd
    a COMMAND that ignores SIGTERM: exit status 124, left behind: nothing
    a COMMAND with a high status: exit status HIGH, left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    ");
}
