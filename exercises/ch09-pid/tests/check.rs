//! `ch09-pid -- COMMAND`: COMMAND is PID 1 of a new PID namespace, with a `/proc` of its own.

use harness::look::{Kind, Mount, Proc};
use harness::{Attempt, Report, Seen, assert_report, exercise, step};

/// Runs the program once and looks at COMMAND while it is parked. The lab's mounts are shared, as
/// they are on a machine with systemd.
fn report() -> Report {
    let mut attempt = Attempt::start(exercise!().shared_mounts().witness());
    if let Some(command) = attempt.command() {
        look(&mut attempt, &command);
        // Now, because COMMAND's mount namespace ends with it.
        let changed = attempt.mounts_changed().iter().any(|change| change.contains("/proc"));
        let lab = if changed { "changed" } else { "unchanged" };
        attempt.report.line("/proc of the lab", lab);
    }
    attempt.release();
    attempt.finish()
}

fn look(attempt: &mut Attempt, command: &Seen) {
    let lab = attempt.run.lab();
    let own = |kind| command.namespaces.get(kind) != lab.get(kind);
    let position = match command.process.own_pid() {
        Some(1) if own(Kind::Pid) => "pid 1 in a new PID namespace".to_owned(),
        Some(pid) if own(Kind::Pid) => {
            format!("pid {pid} in a new PID namespace, not its first process")
        }
        _ => "in the lab's PID namespace".to_owned(),
    };
    let on_proc = |mounts: &[Mount]| mounts.iter().filter(|mount| mount.point == "/proc").count();
    let mounted =
        on_proc(&command.process.mounts().unwrap_or_default()) > on_proc(attempt.run.mounts());
    let proc = match command.process.proc() {
        Proc::Own if own(Kind::Pid) => "shows its PID namespace",
        Proc::Own | Proc::Outer if mounted => "is a new mount that shows the lab's PID namespace",
        Proc::Own | Proc::Outer => "is the lab's, and shows the lab's PID namespace",
        Proc::Other => "shows neither its own PID namespace nor an outer one",
    };
    attempt.report.line("COMMAND is", position);
    attempt.report.line("/proc of COMMAND", proc);
    if command.process.next_child_is_pid_1() {
        attempt.report.aside("COMMAND's next child", "would be PID 1");
    }
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
    assert_report!(report().table(&["COMMAND", "/proc", "lab afterwards"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     B    B    A    A    A    A       A
    COMMAND is: pid 1 in a new PID namespace
    /proc of COMMAND: shows its PID namespace
    /proc of the lab: unchanged
    lab afterwards: unchanged
    ");
}

/// Your program exits with COMMAND's status, with 128 plus the signal's number if a signal ended COMMAND,
/// and with 127 if COMMAND could not be executed. No process is left.
#[step]
fn step4_however_command_ends_its_status_is_passed_on() {
    let mut report = report();

    let mut attempt = Attempt::start(exercise!().witness());
    if let Some(command) = attempt.command() {
        command.process.kill();
    }
    report.ending("a COMMAND that was killed", &attempt.finish());

    let missing = Attempt::start(exercise!().args(["--", "/lab/missing"])).finish();
    report.ending("a COMMAND that is missing", &missing);

    assert_report!(report.lines(&["COMMAND is", "exit status", "left behind", "a COMMAND"]), @r"
    COMMAND is: pid 1 in a new PID namespace
    exit status: COMMAND's
    left behind: nothing
    a COMMAND that was killed: exit status 137, left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    ");
}
