//! `ch06-owner NAME -- COMMAND`: a user namespace that owns three others.

use harness::sandbox::{IdMaps, Sandbox, State};
use harness::{
    Attempt, Report, Seen, assert_report, exercise, high_status, letters, no_more_namespaces,
    not_refused, random, refused, step, watch_setgroups,
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
    // A uid that is taken for the gid does not work then.
    let program = program(State::PlainUser).gid(100);
    let mut report = report(program.hold_parents());
    report.aside("started by", "an ordinary user");
    assert_report!(report.table(&keys), @r"
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

/// If the kernel refuses a map or the name, or where no more network namespaces may be made, your program
/// starts nothing, does not rename the lab, and exits with another status than 0.
#[step]
fn step6_after_a_refused_call_no_command_is_started() {
    let mut report = Report::default();
    let program = || exercise!().state(State::RootLab);
    for map in ["uid_map", "gid_map"] {
        let program = program().arg(letters(9..60)).id_maps(IdMaps::Refused(map.to_owned()));
        refused_map(&mut report, &format!("a {map} that is refused"), program);
    }
    refused(&mut report, "a name of 65 letters or more", program().arg(letters(65..90)));
    // The lab may have it afterwards, and it must not make one run differ from the next.
    let name = letters(9..60);
    report.role(&name, "ANOTHER NAME");
    let limited = no_more_namespaces(program().arg(&name), "net");
    refused(&mut report, "no more network namespaces", limited);
    let key = "COMMAND where nothing is refused";
    not_refused(&mut report, key, "host name of COMMAND", &self::report(program()));
    let keys = ["a uid_map", "a gid_map", "a name of", "no more", "COMMAND where"];
    assert_report!(report.lines(&keys), @r"
    a uid_map that is refused: COMMAND is not started, your program fails, no process stays
    a gid_map that is refused: COMMAND is not started, your program fails, no process stays
    a name of 65 letters or more: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    no more network namespaces: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    COMMAND where nothing is refused: NAME
    ");
}

/// Enters what the program does when one of its maps is refused. A child of its own that waits for the map
/// may end a moment after it.
fn refused_map(report: &mut Report, key: &str, program: Sandbox) {
    let mut attempt = Attempt::start(program.args(["--", "/bin/echo", "COMMAND has run"]));
    attempt.run.await_end();
    let stays = !attempt.run.await_no_process();
    let has_run = attempt.run.stdout().contains("COMMAND has run");
    let finished = attempt.finish();
    let succeeds = finished.fact("exit status").is_some_and(|status| status == "0");
    // Without a recorder nothing was refused.
    let is_known = !finished.has_skipped();
    let [not, ends, stays] = [
        if has_run && is_known { "" } else { "not " },
        if succeeds && is_known { "succeeds" } else { "fails" },
        if stays { "a process stays" } else { "no process stays" },
    ];
    report.of_run(key, format!("COMMAND is {not}started, your program {ends}, {stays}"), &finished);
}

/// With `--keep NUMBER`, COMMAND has the one capability with this number in its user namespace, and can get no
/// other: it is alone in the effective, the permitted and the bounding set. All else is as before, for root as
/// well.
#[step]
fn further7_command_keeps_one_capability_and_no_other() {
    let keys = ["user namespace", "COMMAND", "owned by", "uid_map", "effective", "permitted"];
    let keys = [&keys[..], &["bounding", "host name", "exit", "left", "lab afterwards"]].concat();
    let [mut report, of_root] = [State::PlainUser, State::RootLab].map(keeping);
    report.same("for root", &of_root, &keys);
    assert_report!(report.table(&[&keys[..], &["for root"]].concat()), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  B     A    A    B    B    B    A       A
    owned by its user namespace: net uts ipc
    uid_map of COMMAND: 0 you 1
    effective: NUMBER alone
    permitted: NUMBER alone
    bounding: NUMBER alone
    host name of COMMAND: NAME
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    for root: the same
    ");
}

/// Looks at a COMMAND that keeps one capability, which no program can guess.
fn keeping(state: State) -> Report {
    // Every kernel that the harness runs on has these.
    let number = random() as u32 % 38;
    // A shorter one could be a part of a word of the report.
    let name = letters(9..60);
    let program = exercise!().state(state).arg(&name).args(["--keep", &number.to_string()]);
    let mut attempt = Attempt::start(program.witness());
    attempt.report.role(&name, "NAME");
    if let Some(command) = attempt.command() {
        attempt.owner_of(&command);
        attempt.ids_of(&command, [0, 0]);
        for (set, line) in
            [("effective", "CapEff"), ("permitted", "CapPrm"), ("bounding", "CapBnd")]
        {
            let found = match command.process.bits(line) {
                Some(0) => "none",
                Some(bits) if bits == 1 << number => "NUMBER alone",
                Some(bits) if bits & (1 << number) == 0 => "others",
                Some(_) => "NUMBER and others",
                None => "cannot be read",
            };
            attempt.report.line(set, found);
        }
        attempt.look("host name of COMMAND", &command, Seen::host_name);
    }
    attempt.release();
    attempt.finish()
}
