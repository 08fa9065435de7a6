//! `ch05-user UID GID -- COMMAND`: other ids, mapped without any privilege.

use harness::look::Process;
use harness::sandbox::{IdMaps, Sandbox, State};
use harness::{Attempt, Report, assert_report, exercise, letters, random, step, watch_setgroups};
use nix::sys::signal::Signal;

/// The program as an ordinary user starts it, with uid 1000 and gid 100 and without any capability; or as
/// root of the lab.
fn program(state: State, [uid, gid]: [u32; 2]) -> Sandbox {
    watch_setgroups(exercise!().state(state)).args([uid.to_string(), gid.to_string()])
}

fn plain_user(ids: [u32; 2]) -> Sandbox {
    program(State::PlainUser, ids).gid(100)
}

/// Random ids, which a program cannot guess.
fn some_ids() -> [u32; 2] {
    [random(), random()].map(|number| 1 + number as u32 % 999_999)
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
/// when COMMAND was executed, so your program did not start it too early. If it does not wait, it always
/// fails: the check holds the process that writes the maps until all others wait or have ended.
#[step]
fn step2_it_has_the_ids_you_asked_for_from_its_first_instruction() {
    let ids = some_ids();
    let report = report(plain_user(ids).id_maps(IdMaps::Held), ids);
    assert_report!(report.lines(&["COMMAND", "uid_map", "gid_map", "ids when"]), @r"
    uid_map of COMMAND: UID you 1
    gid_map of COMMAND: GID you 1
    ids when it was executed: UID GID
    ");
}

/// No process in the new namespace can call setgroups(2), because your program has written `deny`. That
/// is the price of writing a `gid_map` without privilege. Here UID is 0, and GID is not.
#[step]
fn step3_setgroups_is_denied() {
    let ids = [0, some_ids()[1]];
    let report = report(plain_user(ids), ids);
    assert_report!(report.lines(&["COMMAND", "uid_map", "gid_map", "setgroups"]), @r"
    uid_map of COMMAND: 0 you 1
    gid_map of COMMAND: GID you 1
    setgroups of COMMAND: denied by your program
    ");
}

/// With `0 0` COMMAND is root in its user namespace and has every capability there. Outside it has your
/// ids, as before, and the lab has not changed. All of this is the same for another user, root.
#[step]
fn step4_root_inside_is_you_outside() {
    let keys =
        ["COMMAND", "uid_map", "gid_map", "setgroups", "capabilities", "its ids", "lab afterwards"];
    let [mut report, of_root] = [plain_user([0, 0]), program(State::RootLab, [0, 0])]
        .map(|program| report(program, [0, 0]));
    report.same("for root", &of_root, &keys);
    assert_report!(report.lines(&[&keys[..], &["for root"]].concat()), @r"
    uid_map of COMMAND: 0 you 1
    gid_map of COMMAND: 0 you 1
    its ids outside: yours
    capabilities of COMMAND: all
    lab afterwards: unchanged
    setgroups of COMMAND: denied by your program
    for root: the same
    ");
}

/// Your program exits with COMMAND's status, with 128 plus the signal's number if a signal ended COMMAND,
/// or with 127 if COMMAND could not be executed. No child is left then, dead or alive. If a map is refused,
/// your program fails, COMMAND is not started, and no process stays. (The check lets the write(2) fail with
/// EBADF.)
#[step]
fn step5_its_status_is_passed_on_and_no_process_is_left() {
    let mut report = report_of_some_ids();
    let ending = |command: &[&str]| Attempt::start(plain_user([0, 0]).args(command)).finish();
    let missing = format!("/lab/{}", letters(3..20));
    report.ending("a COMMAND that is missing", &ending(&["--", &missing]));
    report.ending("a COMMAND that is a directory", &ending(&["--", "/tmp"]));

    let signals =
        [Signal::SIGHUP, Signal::SIGINT, Signal::SIGKILL, Signal::SIGUSR1, Signal::SIGTERM];
    let signal = signals[random() as usize % signals.len()];
    let number = signal as i32;
    let killed = ending(&["--", "/bin/sh", "-c", &format!("kill -{number} $$")]);
    // A program that has become COMMAND is killed itself, which is the same for its parent.
    for status in [(128 + number).to_string(), format!("killed by {signal}")] {
        report.role(&format!("exit status {status}"), "exit status 128 + SIGNAL");
    }
    report.ending("a COMMAND that a signal ends", &killed);

    for map in ["uid_map", "gid_map"] {
        enter_refusal(&mut report, map);
    }
    assert_report!(report.lines(&["COMMAND", "uid_map", "exit status", "left behind", "a "]), @r"
    uid_map of COMMAND: UID you 1
    exit status: COMMAND's
    left behind: nothing
    a COMMAND that is missing: exit status 127, left behind: nothing
    a COMMAND that is a directory: exit status 127, left behind: nothing
    a COMMAND that a signal ends: exit status 128 + SIGNAL, left behind: nothing
    a uid_map that is refused: a failure, and no process stays
    a gid_map that is refused: a failure, and no process stays
    ");
}

/// Enters what the program does when one of its maps is refused.
fn enter_refusal(report: &mut Report, map: &str) {
    let sandbox = plain_user(some_ids()).id_maps(IdMaps::Refused(map.to_owned()));
    enter_failure(report, &format!("a {map} that is refused"), sandbox);
}

/// Enters what the program does when it has to fail.
fn enter_failure(report: &mut Report, key: &str, sandbox: Sandbox) {
    let mut attempt = Attempt::start(sandbox.witness());
    // It is right if there is no COMMAND.
    let started = attempt.run.await_witness().1.is_some();
    if started {
        attempt.release();
    }
    let gone = attempt.run.ended().is_some() && attempt.run.await_no_process();
    let reads = |process: &Process| process.waits_in().is_some_and(|call| call == "read(2)");
    let reads = attempt.run.processes().iter().any(reads);
    let refused = attempt.finish();
    let status = refused.fact("exit status").unwrap_or_default();
    let saw = match status.parse::<u8>() {
        // Without a recorder nothing was refused.
        _ if refused.has_skipped() => REFUSED,
        _ if started && status == COMMANDS => "COMMAND is started",
        _ if started => "COMMAND is started, and a failure is reported",
        Ok(0) => "no failure",
        _ if gone => REFUSED,
        Ok(_) if reads => "a process stays, in read(2)",
        Ok(_) => "a process stays",
        Err(_) => &status,
    };
    report.of_run(key, saw, &refused);
}

/// The exit status of a program that has passed on COMMAND's.
const COMMANDS: &str = "COMMAND's";

const REFUSED: &str = "a failure, and no process stays";

/// An id that is none: the kernel refuses a map with it (`map_write` in `kernel/user_namespace.c`).
const NO_ID: u32 = u32::MAX;

/// Each further pair of ids belongs to one more user namespace, which is nested in the one before. COMMAND is
/// in the innermost, where it has the ids of the last pair from its first instruction. Your program exits with
/// its status. If the map of an inner namespace is refused, your program fails, COMMAND is not started, and no
/// process stays.
#[step]
fn further6_each_further_pair_of_ids_is_nested_in_the_one_before() {
    let nested = |levels: &[[u32; 2]]| {
        let words = levels[1..].iter().flatten().map(u32::to_string);
        plain_user(levels[0]).args(words)
    };
    let levels = [some_ids(), some_ids(), some_ids()];
    let mut attempt = Attempt::start(nested(&levels).id_maps(IdMaps::Held).witness());
    if let Some(command) = attempt.command() {
        attempt.levels_of(&command, &levels);
    }
    attempt.release();
    let mut report = attempt.finish();
    for (which, map) in ["uid_map", "gid_map"].into_iter().enumerate() {
        let mut levels = [some_ids(), some_ids()];
        levels[1][which] = NO_ID;
        enter_failure(&mut report, &format!("an inner {map} that is refused"), nested(&levels));
    }
    let keys = ["user namespace", "ids when", "exit status", "left behind", "lab", "an inner"];
    assert_report!(report.lines(&keys), @r"
    user namespace 1: UID1 1000 1, GID1 100 1
    user namespace 2: UID2 UID1 1, GID2 GID1 1
    user namespace 3: UID3 UID2 1, GID3 GID2 1
    ids when it was executed: UID3 GID3
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    an inner uid_map that is refused: a failure, and no process stays
    an inner gid_map that is refused: a failure, and no process stays
    ");
}
