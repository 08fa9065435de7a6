//! `ch03-clone NAME -- COMMAND`: a child that is born in new namespaces.

use harness::{Attempt, Report, assert_report, exercise, step, token};

/// Runs the program once, and looks at it and at COMMAND while COMMAND is parked.
fn report() -> Report {
    let name = token("otter");
    let mut attempt = Attempt::start(exercise!().arg(&name).witness());
    attempt.report.role(&name, "NAME");
    if let Some(command) = attempt.command() {
        attempt.row_of_program();
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
        attempt.report.line("host name of COMMAND", command.host_name());
    }
    attempt.release();
    attempt.finish()
}

/// COMMAND is in UTS and IPC namespaces of its own, and your program stays in the lab's. With clone3(2)
/// only the child is in new namespaces, while unshare(2) would move the parent as well.
#[step]
fn step1_the_child_is_born_in_new_namespaces_and_the_parent_stays() {
    assert_report!(report().table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     A    A    A    B    B    A       A
    program  A     A    A    A    A    A    A       A
    ");
}

/// In COMMAND's namespace the host name is the one from the command line, and the lab's own has not
/// changed. Only the child is in the new namespace, so the child must set the name.
#[step]
fn step2_the_child_sets_the_host_name_of_its_namespace() {
    assert_report!(report().lines(&["host name of COMMAND", "lab afterwards"]), @r"
    host name of COMMAND: NAME
    lab afterwards: unchanged
    ");
}

/// Your program is the parent of COMMAND and holds a pidfd of it: a descriptor that can only mean this
/// child, and that the call that makes the child can make as well.
#[step]
fn step3_the_parent_holds_a_pidfd_of_the_child() {
    assert_report!(report().lines(&["host name of COMMAND", "parent of COMMAND", "pidfd of COMMAND"]), @r"
    parent of COMMAND: your program
    pidfd of COMMAND: held by your program
    host name of COMMAND: NAME
    ");
}

/// Your program exits with COMMAND's status, with 128 plus the signal's number if a signal ended
/// COMMAND, and with 127 if COMMAND could not be executed. No child is left, dead or alive.
#[step]
fn step4_however_the_child_ends_its_status_is_passed_on() {
    let mut report = report();

    let mut attempt = Attempt::start(exercise!().arg("otter").witness());
    if let Some(command) = attempt.command() {
        report.line("host name before the kill", command.host_name());
        command.process.kill();
    }
    report.ending("a COMMAND that was killed", &attempt.finish());

    let missing = Attempt::start(exercise!().args(["otter", "--", "/lab/missing"])).finish();
    report.ending("a COMMAND that is missing", &missing);

    assert_report!(report.lines(&["host name", "exit status", "left behind", "a COMMAND"]), @r"
    host name of COMMAND: NAME
    exit status: COMMAND's
    left behind: nothing
    host name before the kill: otter
    a COMMAND that was killed: exit status 137, left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    ");
}
