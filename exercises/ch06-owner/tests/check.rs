//! `ch06-owner NAME -- COMMAND`: a user namespace that owns three others.

use harness::sandbox::State;
use harness::{Attempt, Report, assert_report, exercise, step, token, watch_setgroups};

/// Runs the program once and looks at COMMAND while it is parked. Most steps run it as the lab's root,
/// because root gets away with a wrong order, where an ordinary user gets EPERM.
fn report(state: State) -> Report {
    let name = token("otter");
    let mut attempt =
        Attempt::start(watch_setgroups(exercise!().state(state)).arg(&name).witness());
    attempt.report.role(&name, "NAME");
    if let Some(command) = attempt.command() {
        attempt.owner_of(&command);
        attempt.ids_of(&command, [0, 0]);
        attempt.denial_of(&command);
        attempt.capabilities_of(&command);
        attempt.report.line("host name of COMMAND", command.host_name());
    }
    attempt.release();
    attempt.finish()
}

/// COMMAND is in new user, network, UTS and IPC namespaces. The other four are the lab's.
#[step]
fn step1_command_is_in_four_new_namespaces() {
    assert_report!(report(State::RootLab).table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  B     A    A    B    B    B    A       A
    ");
}

/// The new user namespace owns the other three, so the capabilities that COMMAND has in it count for them.
#[step]
fn step2_its_user_namespace_owns_the_other_three() {
    assert_report!(report(State::RootLab).lines(&["COMMAND", "owned by"]), @"owned by its user namespace: net uts ipc");
}

/// COMMAND is root in the new user namespace, and still has every capability after the exec. To be
/// allowed to write `gid_map`, your program has denied setgroups(2).
#[step]
fn step3_command_is_root_and_keeps_every_capability() {
    let keys =
        ["COMMAND", "owned by", "uid_map", "gid_map", "ids when", "setgroups", "capabilities"];
    assert_report!(report(State::RootLab).lines(&keys), @r"
    owned by its user namespace: net uts ipc
    uid_map of COMMAND: 0 you 1
    gid_map of COMMAND: 0 you 1
    ids when it was executed: 0 0
    capabilities of COMMAND: all
    setgroups of COMMAND: denied by your program
    ");
}

/// COMMAND has the host name from the command line, and the lab's own has not changed. Your program exits
/// with COMMAND's status.
#[step]
fn step4_the_host_name_is_set_in_its_namespace_only() {
    let keys = ["COMMAND", "host name", "exit status", "left behind", "lab afterwards"];
    assert_report!(report(State::RootLab).lines(&keys), @r"
    host name of COMMAND: NAME
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    ");
}

/// Your program does the same when an ordinary user starts it, without any capability.
#[step]
fn step5_an_ordinary_user_gets_the_same() {
    let keys = [
        "COMMAND",
        "owned by",
        "uid_map",
        "gid_map",
        "its ids",
        "capabilities",
        "host name",
        "lab",
    ];
    assert_report!(report(State::PlainUser).table(&keys), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  B     A    A    B    B    B    A       A
    owned by its user namespace: net uts ipc
    uid_map of COMMAND: 0 you 1
    gid_map of COMMAND: 0 you 1
    its ids outside: yours
    capabilities of COMMAND: all
    host name of COMMAND: NAME
    lab afterwards: unchanged
    ");
}
