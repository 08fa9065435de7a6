//! `ch09-pid -- COMMAND`: COMMAND is PID 1 of a new PID namespace, with a `/proc` of its own.

use harness::look::{Kind, Mount, Proc};
use harness::{Attempt, Report, Seen, assert_report, exercise};

/// Runs the program once and looks at COMMAND while it is parked. The lab's mounts are shared, as
/// they are on a machine with systemd.
fn report() -> Report {
    let mut attempt = exercise!().shared_mounts().witness().start();
    if let Some(command) = attempt.command() {
        look(&mut attempt, &command);
        // While COMMAND is there: its mounts go when it goes.
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
    let place = match command.process.own_pid() {
        Some(1) if own(Kind::Pid) => "pid 1 in a new PID namespace".to_owned(),
        Some(pid) if own(Kind::Pid) => {
            format!("pid {pid} in a new PID namespace, and not its first process")
        }
        _ => "in the lab's PID namespace".to_owned(),
    };
    let on_proc = |mounts: &[Mount]| mounts.iter().filter(|mount| mount.point == "/proc").count();
    let mounted =
        on_proc(&command.process.mounts().unwrap_or_default()) > on_proc(attempt.run.mounts());
    let proc = match command.process.proc() {
        Proc::Own if own(Kind::Pid) => "shows its PID namespace",
        Proc::Own | Proc::Outer if mounted => "was mounted anew, and shows the lab's PID namespace",
        Proc::Own | Proc::Outer => "is the one it found, and shows the lab's PID namespace",
        Proc::Other => "shows no PID namespace that it is in",
    };
    attempt.report.line("COMMAND is", place);
    attempt.report.line("/proc of COMMAND", proc);
    if command.process.next_child_is_pid_1() {
        attempt.report.aside("COMMAND's next child", "would be PID 1");
    }
}

/// COMMAND is PID 1 of a new PID namespace. unshare(2) does not move its caller there, but decides
/// where its next child is born.
#[test]
fn step1_command_is_pid_1_of_a_new_pid_namespace() {
    assert_report!(report().lines(&["COMMAND is"]), @"COMMAND is: pid 1 in a new PID namespace");
}

/// The `/proc` that COMMAND finds shows its own PID namespace: it was mounted by a process that is
/// in there.
#[test]
fn step2_its_proc_shows_that_namespace() {
    assert_report!(report().lines(&["COMMAND is", "/proc of COMMAND"]), @r"
    COMMAND is: pid 1 in a new PID namespace
    /proc of COMMAND: shows its PID namespace
    ");
}

/// It is mounted in a mount namespace of its own, and the lab's `/proc` is as it was. The lab's mounts
/// are shared, as on most machines: what you mount on a copy of them finds its way back, unless you
/// have made the copies private.
#[test]
fn step3_the_outer_proc_is_untouched() {
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

/// Your program exits with COMMAND's status, with 128 and the signal's number if a signal ended
/// it, and with 127 if it could not be started. No process is left.
#[test]
fn step4_every_end_of_command_is_passed_on() {
    let mut report = report();

    let mut attempt = exercise!().witness().start();
    if let Some(command) = attempt.command() {
        command.process.kill();
    }
    report.ending("a COMMAND that was killed", &attempt.finish());

    let missing = exercise!().args(["--", "/lab/missing"]).start().finish();
    report.ending("a COMMAND that is missing", &missing);

    assert_report!(report.lines(&["COMMAND is", "exit status", "left behind", "a COMMAND"]), @r"
    COMMAND is: pid 1 in a new PID namespace
    exit status: COMMAND's
    left behind: nothing
    a COMMAND that was killed: exit status 137, left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    ");
}
