//! `ch06-owner NAME -- COMMAND`: a user namespace that owns three others.

use harness::sandbox::{IdMaps, Sandbox, State};
use harness::{
    Attempt, Report, assert_report, exercise, high_status, letters, step, watch_setgroups,
};

/// The program, run once by root of the lab or by an ordinary user. Most steps run it as root, because
/// root gets away with a wrong order, where an ordinary user gets EPERM.
fn program(state: State) -> Sandbox {
    watch_setgroups(exercise!().state(state))
}

/// Looks at COMMAND while it is parked.
fn report(program: Sandbox) -> Report {
    // A host name may have 64 bytes.
    let name = letters(40..65);
    let mut attempt = Attempt::start(program.arg(&name).witness());
    attempt.report.role(&name, "NAME");
    if let Some(command) = attempt.command() {
        attempt.owner_of(&command);
        attempt.ids_of(&command, [0, 0]);
        attempt.denial_of(&command);
        attempt.capabilities_of(&command);
        attempt.look("host name of COMMAND", &command, |command| command.host_name());
        let seen = attempt.report.fact("host name of COMMAND");
        if seen.is_some_and(|seen| !["NAME", "LAB"].contains(&&*seen)) {
            attempt.report.aside("host name has changed", "to another");
        }
    }
    attempt.release();
    attempt.finish()
}

/// COMMAND is in new user, network, UTS and IPC namespaces. The other four are the lab's.
#[step]
fn step1_command_is_in_four_new_namespaces() {
    assert_report!(report(program(State::RootLab)).table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  B     A    A    B    B    B    A       A
    ");
}

/// The new user namespace owns the other three, so the capabilities that COMMAND has in it count for them.
#[step]
fn step2_its_user_namespace_owns_the_other_three() {
    assert_report!(report(program(State::RootLab)).lines(&["COMMAND", "owned by"]), @"owned by its user namespace: net uts ipc");
}

/// COMMAND is root in the new user namespace, and still has every capability after the exec, so the maps
/// were there before. To be allowed to write `gid_map`, your program has denied setgroups(2).
#[step]
fn step3_command_is_root_and_keeps_every_capability() {
    let keys =
        ["COMMAND", "owned by", "uid_map", "gid_map", "ids when", "setgroups", "capabilities"];
    assert_report!(report(program(State::RootLab).id_maps(IdMaps::Held)).lines(&keys), @r"
    owned by its user namespace: net uts ipc
    uid_map of COMMAND: 0 you 1
    gid_map of COMMAND: 0 you 1
    ids when it was executed: 0 0
    capabilities of COMMAND: all
    setgroups of COMMAND: denied by your program
    ");
}

/// COMMAND has the host name from the command line, and the lab's own has not changed. Your program exits
/// with COMMAND's status, and leaves no process behind.
#[step]
fn step4_the_host_name_is_set_in_its_namespace_only() {
    let mut report = report(program(State::RootLab));
    high_status(&mut report, program(State::RootLab).arg(letters(2..20)));
    let keys =
        ["COMMAND", "host name", "exit status", "left behind", "lab afterwards", "a COMMAND"];
    assert_report!(report.lines(&keys), @r"
    host name of COMMAND: NAME
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    a COMMAND with a high status: exit status HIGH, left behind: nothing
    ");
}

/// Your program does the same when an ordinary user starts it, without any capability. COMMAND has all of
/// it from the beginning.
#[step]
fn step5_an_ordinary_user_gets_the_same() {
    let keys = [
        "COMMAND",
        "owned by",
        "uid_map",
        "gid_map",
        "ids when",
        "its ids",
        "capabilities",
        "host name",
        "exit status",
        "left behind",
        "lab",
        "setgroups",
    ];
    assert_report!(report(program(State::PlainUser).hold_parents()).table(&keys), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  B     A    A    B    B    B    A       A
    owned by its user namespace: net uts ipc
    uid_map of COMMAND: 0 you 1
    gid_map of COMMAND: 0 you 1
    ids when it was executed: 0 0
    its ids outside: yours
    capabilities of COMMAND: all
    host name of COMMAND: NAME
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    setgroups of COMMAND: denied by your program
    ");
}
