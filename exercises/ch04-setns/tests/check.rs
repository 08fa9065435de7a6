//! `ch04-setns PID -- COMMAND` joins a process; `ch04-setns pin PID PATH` keeps a namespace.

use harness::look::Kind;
use harness::sandbox::{Neighbor, Sandbox};
use harness::visit;
use harness::{Attempt, Report, assert_report, exercise, step, token};

/// Adds the target: a neighbor with UTS, IPC and network namespaces of its own, and a random host name.
/// It entered a user namespace of its own only afterwards, so the lab's, whose root you are, owns the
/// other three.
fn with_target(sandbox: Sandbox, name: &str) -> Sandbox {
    sandbox.neighbor(Neighbor {
        name: "target".into(),
        new: libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWNET,
        host_name: Some(name.into()),
        below: vec![0],
        ..Neighbor::default()
    })
}

/// Runs the program once and looks at COMMAND while it is parked.
fn report() -> Report {
    let name = token("otter");
    let mut attempt = Attempt::start(with_target(exercise!().arg("{target}").witness(), &name));
    attempt.report.role(&name, "TARGET");
    attempt.row_of("target");
    if let Some(command) = attempt.command() {
        attempt.report.line("host name of COMMAND", command.host_name());
    }
    attempt.release();
    attempt.finish()
}

/// COMMAND is in the target's UTS, IPC and network namespaces: in the same ones, not in new ones. The
/// other five, among them the user namespace, are still the lab's.
#[step]
fn step1_command_is_in_three_namespaces_of_the_target() {
    assert_report!(report().table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    target   B     A    A    B    B    B    A       A
    COMMAND  A     A    A    B    B    B    A       A
    ");
}

/// COMMAND has the target's host name, your program exits with COMMAND's status, and the lab has not
/// changed.
#[step]
fn step2_it_has_the_host_name_of_the_target_and_its_status_is_passed_on() {
    assert_report!(report().lines(&["host name of COMMAND", "exit status", "left behind", "lab afterwards"]), @r"
    host name of COMMAND: TARGET
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    ");
}

/// If there is no process to join, COMMAND must not run in other namespaces instead. Your program
/// reports which call failed, and exits with a status other than 0.
#[step]
fn step3_without_a_target_nothing_is_started() {
    let mut attempt = Attempt::start(exercise!().arg("399").witness());
    let outcome = match attempt.command() {
        Some(_) => "started anyway",
        None => "not started",
    };
    attempt.release();
    let finished = attempt.finish();
    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    let status = fact("exit status");
    let failed = !["0", "COMMAND's"].contains(&status.as_str()) && !fact("stderr").is_empty();

    // So far, a program that never starts anything would pass as well.
    let mut report = report();
    report.line("COMMAND without a target", outcome);
    report.line("error", if failed { "reported" } else { "not reported" });
    assert_report!(report.lines(&["host name of COMMAND", "COMMAND without", "error"]), @r"
    host name of COMMAND: TARGET
    COMMAND without a target: not started
    error: reported
    ");
}

/// `pin` leaves the target's UTS namespace mounted on PATH. Your program has ended and the target is
/// killed, so no process is in the namespace any more. A process that enters it through PATH still finds
/// its host name.
#[step]
fn step4_a_pinned_namespace_outlives_its_last_process() {
    let name = token("otter");
    let mut attempt =
        Attempt::start(with_target(exercise!().args(["pin", "{target}", "/run/kept"]), &name));
    attempt.report.role(&name, "TARGET");
    attempt.run.await_end();
    if let Some(target) = attempt.run.neighbor("target") {
        target.kill();
        target.await_end(harness::sandbox::patience());
    }
    let mnt = attempt.run.lab().get(Kind::Mnt).expect("every kernel has mount namespaces");
    let found = match visit::host_name_at(mnt, "/run/kept") {
        Ok(name) => format!("host name {name}"),
        Err(errno) => format!("no namespace ({})", errno.desc()),
    };
    attempt.report.line("at PATH after the target's death", found);
    let report = attempt.finish();
    assert_report!(report.lines(&["at PATH", "exit status"]), @r"
    at PATH after the target's death: host name TARGET
    exit status: 0
    ");
}
