//! `ch02-unshare NAME -- COMMAND`: a host name that no other process sees.

use harness::{Attempt, Report, Seen, assert_report, exercise, step, token};

/// Runs the program once and looks at COMMAND while it is parked.
fn report() -> Report {
    let name = token("otter");
    let mut attempt = Attempt::start(exercise!().arg(&name).witness());
    attempt.report.role(&name, "NAME");
    if let Some(command) = attempt.command() {
        attempt.look("host name of COMMAND", &command, Seen::host_name);
    }
    attempt.release();
    attempt.finish()
}

/// COMMAND has a UTS namespace of its own, and shares the other seven with the lab. An A under `uts`
/// means that it is still in the lab's. Was unshare(2) called, with which flag, and what did it return?
#[step]
fn step1_command_has_a_uts_namespace_of_its_own() {
    assert_report!(report().table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     A    A    A    B    A    A       A
    ");
}

/// In COMMAND's namespace the host name is the one from the command line, and the lab's own has not
/// changed. If the name is set before the program leaves the lab's namespace, it renames the lab.
#[step]
fn step2_the_host_name_is_set_in_its_namespace_only() {
    assert_report!(report().lines(&["host name of COMMAND", "lab afterwards"]), @r"
    host name of COMMAND: NAME
    lab afterwards: unchanged
    ");
}

/// While COMMAND has its host name, your program exits with COMMAND's status and leaves no process
/// behind.
#[step]
fn step3_the_exit_status_of_command_is_passed_on() {
    assert_report!(report().lines(&["host name of COMMAND", "exit status", "left behind"]), @r"
    host name of COMMAND: NAME
    exit status: COMMAND's
    left behind: nothing
    ");
}
