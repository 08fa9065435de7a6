//! `ch02-unshare NAME -- COMMAND`: a host name that no other process sees.

use harness::sandbox::Sandbox;
use harness::{Attempt, Report, Seen, assert_report, exercise, high_status, letters, step};

/// Runs the program once and looks at COMMAND while it is parked.
fn report(program: Sandbox) -> Report {
    let name = letters(9..60);
    let mut attempt = Attempt::start(program.arg(&name).witness());
    attempt.report.role(&name, "NAME");
    let command = attempt.command();
    if let Some(command) = &command {
        attempt.history_of(command);
        attempt.look("host name of COMMAND", command, Seen::host_name);
        let found = command.host_name();
        let found = found.trim_matches('"');
        let relation = match found {
            "" => "nothing of it",
            _ if found == name => "NAME",
            _ if name.starts_with(found) => "its beginning",
            _ if found.starts_with(&name) => "all of it and more",
            _ => "something else",
        };
        attempt.report.aside("how much of NAME", relation);
    }
    attempt.release();
    if let Some(command) = command {
        attempt.run.await_end();
        attempt.report.aside("its host name in the end", command.host_name());
    }
    attempt.finish()
}

/// COMMAND has a UTS namespace of its own, and shares the other seven with the lab. An A under `uts`
/// means that it is still in the lab's. Was unshare(2) called, with which flag, and what did it return?
#[step]
fn step1_command_has_a_uts_namespace_of_its_own() {
    assert_report!(report(exercise!()).table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     A    A    A    B    A    A       A
    ");
}

/// When COMMAND starts, the host name in its namespace is the one from the command line, and the lab's
/// own has never changed. If the name is set before the program leaves the lab's namespace, it renames the lab.
#[step]
fn step2_the_host_name_is_set_in_its_namespace_only() {
    assert_report!(report(exercise!().hold_parents()).lines(&["host name of COMMAND", "lab"]), @r"
    host name of COMMAND: NAME
    lab afterwards: unchanged
    lab meanwhile: unchanged
    ");
}

/// While COMMAND has its host name, your program exits with COMMAND's status and leaves no process
/// behind.
#[step]
fn step3_the_exit_status_of_command_is_passed_on() {
    let mut report = report(exercise!());
    high_status(&mut report, exercise!().arg(letters(9..60)));
    assert_report!(report.lines(&["host name", "exit status", "left behind", "a COMMAND"]), @r"
    host name of COMMAND: NAME
    exit status: COMMAND's
    left behind: nothing
    a COMMAND with a high status: exit status HIGH, left behind: nothing
    ");
}
