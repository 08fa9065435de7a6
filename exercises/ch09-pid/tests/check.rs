//! `ch09-pid -- COMMAND`: COMMAND is PID 1 of a new PID namespace, with a `/proc` of its own.

use std::rc::Rc;

use harness::look::{Kind, Mount, Proc};
use harness::sandbox::Sandbox;
use harness::{
    Attempt, GONE, Report, Seen, assert_report, exercise, high_status, named_status,
    no_more_namespaces, no_new_proc, random, refused, step, token,
};

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
    let position = match command.process.own_pid() {
        Some(1) if is_outside(attempt, command) => "pid 1 in a new PID namespace".to_owned(),
        Some(pid) if is_outside(attempt, command) => {
            format!("pid {pid} in a new PID namespace, not its first process")
        }
        Some(_) => "in the lab's PID namespace".to_owned(),
        None => GONE.to_owned(),
    };
    attempt.report.line("COMMAND is", position);
    if command.process.next_child_is_pid_1() {
        attempt.report.aside("COMMAND's next child", "would be PID 1");
    }
    look_at_proc(attempt, "/proc of COMMAND", command);
}

/// Whether it is in another PID namespace than the lab's.
fn is_outside(attempt: &Attempt, command: &Seen) -> bool {
    command.namespaces.get(Kind::Pid) != attempt.run.lab().get(Kind::Pid)
}

fn look_at_proc(attempt: &mut Attempt, key: &str, command: &Rc<Seen>) {
    let (own, before) = (is_outside(attempt, command), on_proc(attempt.run.mounts()));
    attempt.look(key, command, move |command| what_is_on_proc(command, own, before));
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
/// unless you make the copies private. Your program runs twice in this lab, and COMMAND of the second run is
/// looked at.
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

/// Where the kernel makes no more PID or mount namespaces, or no new mount of proc, your program does not
/// start COMMAND, and exits with another status than 0.
#[step]
fn step5_after_a_refused_call_no_command_is_started() {
    let mut report = report();
    for [key, kind] in [["no more PID namespaces", "pid"], ["no more mount namespaces", "mnt"]] {
        refused(&mut report, key, no_more_namespaces(exercise!().shared_mounts(), kind));
    }
    refused(&mut report, "no new mount of proc", no_new_proc(exercise!()));
    // A program that never starts anything would pass without the first line.
    assert_report!(report.lines(&["COMMAND is", "no more", "no new"]), @r"
    COMMAND is: pid 1 in a new PID namespace
    no more PID namespaces: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    no more mount namespaces: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    no new mount of proc: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    ");
}

/// The first ends when the second has started, and the second only if it is killed.
const FIRST_ENDS: &str = "until [ -e /tmp/second ]; do sleep 0.02; done; exit";
const SECOND_STAYS: &str = ": > /tmp/second; exec sleep 600";

/// While both COMMANDs run, the first is PID 1, and the second is in its PID namespace and its mount
/// namespace, but is no child of it. Your program is still in the lab's. It ends after the first COMMAND,
/// with the status of the first, when the kernel has killed the second.
#[step]
fn further6_a_second_command_runs_beside_pid_1() {
    let program = exercise!().shared_mounts().witness().arg("--and").witness();
    let mut attempt = Attempt::start(program);
    if let Some([first, second]) = attempt.commands(["first", "second"]) {
        attempt.report.line("pid of the first", first.process.own_pid().unwrap_or(0));
        let parent = second.process.parent();
        let parent =
            if parent == Some(first.process.pid()) { "the first" } else { "another process" };
        attempt.report.line("parent of the second", parent);
        for (key, command) in [("/proc of the first", &first), ("/proc of the second", &second)] {
            look_at_proc(&mut attempt, key, command);
        }
        attempt.row_of_program();
    }
    attempt.release();
    let mut report = attempt.finish();

    let status = 40 + random() % 80;
    let shell = ["/bin/sh", "-c"];
    let program = exercise!().arg("--").args(shell).arg(format!("{FIRST_ENDS} {status}"));
    let program = program.args(["--and", "--"]).args(shell).arg(SECOND_STAYS);
    let key = "a first that ends while the second runs";
    named_status(&mut report, key, (status, "FIRST"), program);
    let lines =
        ["pid of", "parent of", "/proc", "exit status", "left behind", "lab afterwards", "a first"];
    assert_report!(report.table(&lines), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    first    A     B    B    A    A    A    A       A
    second   A     B    B    A    A    A    A       A
    program  A     A    A    A    A    A    A       A
    pid of the first: 1
    parent of the second: another process
    /proc of the first: shows its PID namespace
    /proc of the second: shows its PID namespace
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    a first that ends while the second runs: exit status FIRST, left behind: nothing
    ");
}
