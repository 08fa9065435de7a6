//! `ch02-unshare NAME -- COMMAND`: a host name that no other process sees.

use harness::look::Kind;
use harness::sandbox::Sandbox;
use harness::visit::host_name;
use harness::{
    Attempt, Report, Seen, assert_report, exercise, high_status, letters, named_status,
    no_more_namespaces, not_refused, random, refused, step,
};

/// Runs the program once and looks at COMMAND while it is parked.
fn report(program: Sandbox) -> Report {
    let name = letters(9..60);
    let mut attempt = Attempt::start(program.arg(&name).witness());
    attempt.report.role(&name, "NAME");
    let command = attempt.command();
    if let Some(command) = &command {
        attempt.history_of(command);
        attempt.look("host name of COMMAND", command, Seen::host_name);
        let shown = command.host_name();
        let found = shown.trim_matches('"');
        let of_the_lab = attempt.run.lab().get(Kind::Uts).and_then(|uts| host_name(uts).ok());
        let relation = match found {
            "" => "nothing of it",
            _ if of_the_lab.is_some_and(|lab| shown == lab) => "the lab's name",
            _ if shown == name => "NAME",
            _ if shown.contains(&name) => "all of it and more",
            _ if name.starts_with(found) => "its beginning",
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
/// means that it is still in the lab's.
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
    // What could set the name when COMMAND runs already is held: the process that has started COMMAND, or in
    // another run one that was made before.
    let (mut report, other) =
        (report(exercise!().hold_parents()), report(exercise!().hold_children()));
    report.same("COMMAND before a helper runs", &other, &["host name of COMMAND"]);
    assert_report!(report.lines(&["host name of COMMAND", "lab", "COMMAND before"]), @r"
    host name of COMMAND: NAME
    lab afterwards: unchanged
    lab meanwhile: unchanged
    COMMAND before a helper runs: the same
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

/// With a name that the kernel refuses, or without the right to make a namespace, your program starts
/// nothing, does not rename the lab, and exits with another status than 0.
#[step]
fn step4_after_a_refused_call_no_command_is_started() {
    let mut report = Report::default();
    refused(&mut report, "a name of 65 letters or more", exercise!().arg(letters(65..90)));
    // The lab may have it afterwards, and it must not make one run differ from the next.
    let name = letters(9..60);
    report.role(&name, "ANOTHER NAME");
    let program = no_more_namespaces(exercise!().arg(&name), "uts");
    refused(&mut report, "no more UTS namespaces", program);
    let key = "COMMAND where nothing is refused";
    not_refused(&mut report, key, "host name of COMMAND", &self::report(exercise!()));
    assert_report!(report.lines(&["a name of", "no more", "COMMAND where"]), @r"
    a name of 65 letters or more: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    no more UTS namespaces: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    COMMAND where nothing is refused: NAME
    ");
}

/// While both COMMANDs run, each has a UTS namespace and a host name of its own, and your program is
/// still in the lab's. The first COMMAND's status is yours.
#[step]
fn further5_two_commands_run_at_once_under_two_names() {
    let names = [letters(9..60), letters(9..60)];
    let program = exercise!().arg(&names[0]).witness().arg("--and").arg(&names[1]).witness();
    let mut attempt = Attempt::start(program);
    attempt.report.role(&names[0], "NAME");
    attempt.report.role(&names[1], "OTHER");
    if let Some([first, second]) = attempt.commands(["first", "second"]) {
        attempt.look("host name of the first", &first, Seen::host_name);
        attempt.look("host name of the second", &second, Seen::host_name);
        attempt.row_of_program();
    }
    attempt.release();
    let mut report = attempt.finish();

    let first = 40 + random() % 80;
    let [shell, option] = ["/bin/sh", "-c"];
    let program = exercise!().arg(letters(9..60)).args(["--", shell, option]);
    let program = program.arg(format!("exit {first}")).arg("--and").arg(letters(9..60));
    let program = program.args(["--", shell, option, "exit 33"]);
    named_status(&mut report, "two COMMANDs with two statuses", (first, "FIRST"), program);
    let lines = ["host name", "lab afterwards", "exit status", "left behind", "two COMMANDs"];
    assert_report!(report.table(&lines), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    first    A     A    A    A    B    A    A       A
    second   A     A    A    A    C    A    A       A
    program  A     A    A    A    A    A    A       A
    host name of the first: NAME
    host name of the second: OTHER
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    two COMMANDs with two statuses: exit status FIRST, left behind: nothing
    ");
}
