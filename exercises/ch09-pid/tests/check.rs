//! `ch09-pid -- COMMAND`: COMMAND is PID 1 of a new PID namespace, with a `/proc` of its own.

use std::rc::Rc;

use harness::look::{Kind, Mount, Proc};
use harness::sandbox::Sandbox;
use harness::{Attempt, Report, Seen, assert_report, exercise, high_status, step, token};

/// The program has run in this lab before, and COMMAND is a shell that becomes the witness.
const AGAIN: &str = r#""$0" -- /bin/true; shift; exec "$0" -- /bin/sh -c 'exec "$@"' sh "$@""#;

/// A COMMAND that calls a function until its stack is full.
const FAULT: &str = "ulimit -s 256; f() { f; }; f";

/// Runs the program once and looks at COMMAND while it is parked.
fn report() -> Report {
    report_of(exercise!())
}

/// The lab's mounts are shared, as they are on a machine with systemd.
fn report_of(sandbox: Sandbox) -> Report {
    let mut attempt = Attempt::start(sandbox.shared_mounts().witness());
    if let Some(command) = attempt.command() {
        attempt.history_of(&command);
        look(&mut attempt, &command);
        // Now, because COMMAND's mount namespace ends with it.
        let changed = attempt.mounts_changed();
        let lab = if changed.is_empty() { "unchanged" } else { "changed" };
        attempt.report.line("mounts of the lab", lab);
    }
    attempt.release();
    attempt.finish()
}

fn look(attempt: &mut Attempt, command: &Rc<Seen>) {
    let lab = attempt.run.lab();
    let own = |kind| command.namespaces.get(kind) != lab.get(kind);
    let position = match command.process.own_pid() {
        Some(1) if own(Kind::Pid) => "pid 1 in a new PID namespace".to_owned(),
        Some(pid) if own(Kind::Pid) => {
            format!("pid {pid} in a new PID namespace, not its first process")
        }
        _ => "in the lab's PID namespace".to_owned(),
    };
    attempt.report.line("COMMAND is", position);
    if command.process.next_child_is_pid_1() {
        attempt.report.aside("COMMAND's next child", "would be PID 1");
    }
    let (own, before) = (own(Kind::Pid), on_proc(attempt.run.mounts()));
    attempt.look("/proc of COMMAND", command, move |command| what_is_on_proc(command, own, before));
}

fn on_proc(mounts: &[Mount]) -> usize {
    mounts.iter().filter(|mount| mount.point == "/proc").count()
}

/// What COMMAND finds at `/proc`, which has a PID namespace of its `own` or the lab's; `before` mounts were
/// there when the program started.
fn what_is_on_proc(command: &Seen, own: bool, before: usize) -> String {
    let mounted = on_proc(&command.process.mounts().unwrap_or_default()) > before;
    let proc = match command.process.proc() {
        Proc::Own if own => "shows its PID namespace",
        Proc::Own if mounted => "is a new mount that shows the lab's PID namespace",
        Proc::Outer if mounted => "is a new mount that shows an outer PID namespace",
        Proc::Own | Proc::Outer => "is the lab's, and shows the lab's PID namespace",
        Proc::Other => "shows neither its own PID namespace nor an outer one",
    };
    proc.to_owned()
}

/// COMMAND is PID 1 of a new PID namespace. unshare(2) does not move its caller there: it decides where
/// the caller's next child is born.
#[step]
fn step1_command_is_pid_1_of_a_new_pid_namespace() {
    assert_report!(report().lines(&["COMMAND is"]), @"COMMAND is: pid 1 in a new PID namespace");
}

/// COMMAND's `/proc` shows its own PID namespace, which means that a process in that namespace mounted it.
#[step]
fn step2_its_proc_shows_its_pid_namespace() {
    assert_report!(report().lines(&["COMMAND is", "/proc of COMMAND"]), @r"
    COMMAND is: pid 1 in a new PID namespace
    /proc of COMMAND: shows its PID namespace
    ");
}

/// The new `/proc` is in a mount namespace of COMMAND's own, and the lab's `/proc` has not changed. The
/// lab's mounts are shared, as on most machines, so what you mount on a copy of them propagates back
/// unless you make the copies private.
#[step]
fn step3_the_proc_of_the_lab_is_unchanged() {
    let report = report_of(exercise!().script(AGAIN).record());
    assert_report!(report.table(&["COMMAND", "/proc", "mounts", "lab"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     B    B    A    A    A    A       A
    COMMAND is: pid 1 in a new PID namespace
    /proc of COMMAND: shows its PID namespace
    mounts of the lab: unchanged
    lab afterwards: unchanged
    lab meanwhile: unchanged
    ");
}

/// Your program exits with COMMAND's status, with 128 plus the signal's number if a signal ended COMMAND,
/// and with 127 if there is no COMMAND. No process is left.
#[step]
fn step4_however_command_ends_its_status_is_passed_on() {
    let mut report = report();
    high_status(&mut report, exercise!());

    let mut attempt = Attempt::start(exercise!().witness());
    if let Some(command) = attempt.command() {
        command.process.kill();
    }
    report.ending("a COMMAND that was killed", &attempt.finish());

    let fault = exercise!().args(["--", "/bin/sh", "-c", FAULT]);
    report.ending("a COMMAND that faulted", &Attempt::start(fault).finish());

    let missing = format!("/lab/{}", token("missing"));
    let missing = Attempt::start(exercise!().args(["--", &missing])).finish();
    report.ending("a COMMAND that is missing", &missing);

    assert_report!(report.lines(&["COMMAND is", "exit status", "left behind", "a COMMAND"]), @r"
    COMMAND is: pid 1 in a new PID namespace
    exit status: COMMAND's
    left behind: nothing
    a COMMAND with a high status: exit status HIGH, left behind: nothing
    a COMMAND that was killed: exit status 137, left behind: nothing
    a COMMAND that faulted: exit status 139, left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    ");
}
