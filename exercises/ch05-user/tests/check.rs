//! `ch05-user UID GID -- COMMAND`: other ids, mapped without any privilege.

use harness::sandbox::{Sandbox, State};
use harness::{Attempt, Report, assert_report, exercise, random, step, watch_setgroups};

/// The program as an ordinary user starts it, with uid and gid 1000 and without any capability.
fn plain_user([uid, gid]: [u32; 2]) -> Sandbox {
    watch_setgroups(exercise!().state(State::PlainUser)).args([uid.to_string(), gid.to_string()])
}

/// Random ids, which a program cannot guess.
fn some_ids() -> [u32; 2] {
    [random(), random()].map(|number| 100_000 + number as u32 % 900_000)
}

/// Runs the program once and looks at COMMAND while it is parked.
fn report(program: Sandbox, ids: [u32; 2]) -> Report {
    let mut attempt = Attempt::start(program.witness());
    if let Some(command) = attempt.command() {
        attempt.ids_of(&command, ids);
        attempt.denial_of(&command);
        attempt.capabilities_of(&command);
    }
    attempt.release();
    attempt.finish()
}

fn report_of_some_ids() -> Report {
    let ids = some_ids();
    report(plain_user(ids), ids)
}

/// COMMAND is in a user namespace of its own, which an ordinary user may make without any privilege. The
/// other seven namespaces are the lab's.
#[step]
fn step1_command_has_a_user_namespace_of_its_own() {
    assert_report!(report_of_some_ids().table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  B     A    A    A    A    A    A       A
    ");
}

/// In the new namespace your two ids are UID and GID: each map has one line, of one id. They already were
/// when COMMAND was executed, so your program did not start it too early. The check tries this several
/// times, because a program that does not wait is lucky now and then.
#[step]
fn step2_it_has_the_ids_you_asked_for_from_its_first_instruction() {
    let in_time = |report: &Report| {
        report.fact("ids when it was executed").is_some_and(|ids| ids == "UID GID")
    };
    // A recorded parent is slow, so a child that does not wait is rarely lucky.
    let recorded = || {
        let ids = some_ids();
        report(plain_user(ids).record(), ids)
    };
    let mut runs = std::iter::repeat_with(recorded).take(4).skip_while(in_time);
    let report = runs.next().unwrap_or_else(recorded);
    assert_report!(report.lines(&["COMMAND", "uid_map", "gid_map", "ids when"]), @r"
    uid_map of COMMAND: UID you 1
    gid_map of COMMAND: GID you 1
    ids when it was executed: UID GID
    ");
}

/// No process in the new namespace can call setgroups(2), because your program has written `deny`. That
/// is the price of writing a `gid_map` without privilege.
#[step]
fn step3_setgroups_is_denied() {
    assert_report!(report_of_some_ids().lines(&["COMMAND", "gid_map", "setgroups"]), @r"
    gid_map of COMMAND: GID you 1
    setgroups of COMMAND: denied by your program
    ");
}

/// With `0 0` COMMAND is root in its user namespace and has every capability there. Outside it has your
/// ids, as before, and the lab has not changed.
#[step]
fn step4_root_inside_is_you_outside() {
    let keys = ["COMMAND", "uid_map", "gid_map", "capabilities", "its ids", "lab afterwards"];
    assert_report!(report(plain_user([0, 0]), [0, 0]).lines(&keys), @r"
    uid_map of COMMAND: 0 you 1
    gid_map of COMMAND: 0 you 1
    its ids outside: yours
    capabilities of COMMAND: all
    lab afterwards: unchanged
    ");
}

/// Your program exits with COMMAND's status, or with 127 if COMMAND could not be executed. No child is
/// left, dead or alive.
#[step]
fn step5_its_status_is_passed_on_and_no_process_is_left() {
    let mut report = report_of_some_ids();
    let missing = Attempt::start(plain_user([0, 0]).args(["--", "/lab/missing"])).finish();
    report.ending("a COMMAND that is missing", &missing);

    assert_report!(report.lines(&["COMMAND", "uid_map", "exit status", "left behind", "a COMMAND"]), @r"
    uid_map of COMMAND: UID you 1
    exit status: COMMAND's
    left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    ");
}
