//! `ch03-clone NAME -- COMMAND`: a child that is born in new namespaces.

use harness::sandbox::{Fixture, Neighbor, Sandbox};
use harness::{
    Attempt, Report, Seen, assert_report, exercise, high_status, letters, random, step, token,
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
        let parent = if command.process.parent() == Some(program.pid()) {
            "your program"
        } else {
            "another process"
        };
        let pidfd = if program.holds_pidfd_of(&command.process) {
            "held by your program"
        } else {
            "your program has none"
        };
        attempt.report.line("parent of COMMAND", parent);
        attempt.report.line("pidfd of COMMAND", pidfd);
        attempt.look("host name of COMMAND", &command, Seen::host_name);
    }
    attempt.release();
    attempt.finish()
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
