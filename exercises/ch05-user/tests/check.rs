//! `ch05-user UID GID -- COMMAND`: other ids, given by nobody but yourself.

use harness::sandbox::State;
use harness::{Attempt, Exercise, Report, assert_report, exercise, random};

/// The program as an ordinary user starts it: uid and gid 1000, not one capability.
fn plain_user(uid: u32, gid: u32) -> Exercise {
    exercise!().state(State::PlainUser).watch_setgroups().args([uid.to_string(), gid.to_string()])
}

/// Runs the program once, with ids that nobody can guess, and looks at COMMAND while it is parked.
fn report() -> Report {
    let [uid, gid] = [random(), random()].map(|number| 100_000 + number as u32 % 900_000);
    let mut attempt = plain_user(uid, gid).witness().start();
    look(&mut attempt, [uid, gid]);
    attempt.release(7);
    attempt.finish()
}

fn look(attempt: &mut Attempt, ids: [u32; 2]) {
    if let Some(command) = attempt.command() {
        attempt.ids_of(&command, ids);
        attempt.denial_of(&command);
        attempt.capabilities_of(&command);
    }
}

/// COMMAND is in a user namespace of its own. The other seven are the lab's: an ordinary user may
/// make a user namespace and needs nobody's permission.
#[test]
fn step1_command_has_a_user_namespace_of_its_own() {
    assert_report!(report().table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  B     A    A    A    A    A    A       A
    ");
}

/// UID and GID are your two ids there, one line of one id in each map. And they were when COMMAND
/// was executed: your program did not start it too early. It is started several times, because who
/// does not wait is lucky more often than not.
#[test]
fn step2_it_has_the_ids_you_asked_for_from_its_first_instruction() {
    let in_time = |report: &Report| {
        report.fact("ids when it was executed").is_some_and(|ids| ids == "UID GID")
    };
    let mut runs = std::iter::repeat_with(report).take(7).skip_while(in_time);
    let report = runs.next().unwrap_or_else(report);
    assert_report!(report.lines(&["COMMAND", "uid_map", "gid_map", "ids when"]), @r"
    uid_map of COMMAND: UID you 1
    gid_map of COMMAND: GID you 1
    ids when it was executed: UID GID
    ");
}

/// Nobody in there can call setgroups(2): your program has written `deny`. That is the price of a
/// `gid_map` without privilege.
#[test]
fn step3_setgroups_is_denied() {
    assert_report!(report().lines(&["COMMAND", "gid_map", "setgroups"]), @r"
    gid_map of COMMAND: GID you 1
    setgroups of COMMAND: denied by your program
    ");
}

/// With `0 0` COMMAND is root and has every capability, there. Outside it has the ids it always
/// had, and the lab is unchanged.
#[test]
fn step4_root_inside_is_you_outside() {
    let mut attempt = plain_user(0, 0).witness().start();
    look(&mut attempt, [0, 0]);
    attempt.release(7);
    let keys = ["COMMAND", "uid_map", "gid_map", "capabilities", "its ids", "lab afterwards"];
    assert_report!(attempt.finish().lines(&keys), @r"
    uid_map of COMMAND: 0 you 1
    gid_map of COMMAND: 0 you 1
    its ids outside: yours
    capabilities of COMMAND: all
    lab afterwards: unchanged
    ");
}

/// Your program exits with COMMAND's status, and with 127 if it could not be started. No child is
/// left, dead or alive.
#[test]
fn step5_the_status_is_passed_on_and_nobody_is_left() {
    let mut report = report();
    let missing = plain_user(0, 0).args(["--", "/lab/missing"]).start().finish();
    report.ending("a COMMAND that is missing", &missing);

    assert_report!(report.lines(&["COMMAND", "uid_map", "exit status", "left behind", "a COMMAND"]), @r"
    uid_map of COMMAND: UID you 1
    exit status: COMMAND's
    left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    ");
}
