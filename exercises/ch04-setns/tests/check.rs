//! `ch04-setns PID -- COMMAND` joins a process; `ch04-setns pin PID PATH` keeps a namespace.

use harness::look::{Kind, Namespaces};
use harness::sandbox::{Neighbor, Sandbox, patience};
use harness::visit;
use harness::{
    Attempt, Report, Seen, absent_pid, assert_report, exercise, high_status, letters, step, token,
};

/// A neighbor with UTS, IPC and network namespaces of its own, and this host name. It entered a user
/// namespace of its own only afterwards, so the lab's, whose root you are, owns the other three.
fn neighbor(name: &str, host_name: String) -> Neighbor {
    Neighbor {
        name: name.into(),
        new: libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWNET,
        host_name: Some(host_name),
        below: vec![0],
        ..Neighbor::default()
    }
}

/// Adds the target, and a neighbor like it on either side.
fn with_target(sandbox: Sandbox, name: &str) -> Sandbox {
    let sandbox = sandbox.neighbor(neighbor("before", letters(9..60)));
    let sandbox = sandbox.neighbor(neighbor("target", name.into()));
    sandbox.neighbor(neighbor("after", letters(9..60)))
}

/// Runs the program once and looks at COMMAND while it is parked.
fn report() -> Report {
    let name = letters(9..60);
    let mut attempt = Attempt::start(with_target(exercise!().arg("{target}").witness(), &name));
    attempt.report.role(&name, "TARGET");
    attempt.row_of("target");
    if let Some(command) = attempt.command() {
        attempt.look("host name of COMMAND", &command, Seen::host_name);
    }
    attempt.release();
    attempt.finish()
}

/// COMMAND is in the target's UTS, IPC and network namespaces: in the same ones, not in new ones. The
/// other five, among them the user namespace, are still the lab's.
#[step]
fn step1_command_is_in_three_namespaces_of_the_target() {
    assert_report!(report().table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    target   B     A    A    B    B    B    A       A
    COMMAND  A     A    A    B    B    B    A       A
    ");
}

/// COMMAND has the target's host name, your program exits with COMMAND's status and leaves no process
/// behind, and the lab has not changed.
#[step]
fn step2_it_has_the_host_name_of_the_target_and_its_status_is_passed_on() {
    let mut report = report();
    high_status(&mut report, with_target(exercise!().arg("{target}"), &letters(9..60)));
    let keys =
        ["host name of COMMAND", "exit status", "left behind", "lab afterwards", "a COMMAND"];
    assert_report!(report.lines(&keys), @r"
    host name of COMMAND: TARGET
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    a COMMAND with a high status: exit status HIGH, left behind: nothing
    ");
}

/// Runs the program where it cannot join, and reports what comes of it.
fn refusal(report: &mut Report, key: &str, sandbox: Sandbox) {
    let mut attempt = Attempt::start(sandbox.witness());
    let started = attempt.command().is_some();
    if started {
        attempt.release();
    }
    let finished = attempt.finish();
    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    let said = !(fact("stdout").is_empty() && fact("stderr").is_empty());
    let outcome = match fact("exit status").as_str() {
        // The program has not run, so this error is not its own.
        _ if fact("stdout") == NOT_ARRANGED => NOT_ARRANGED,
        _ if started => "COMMAND was started anyway",
        "0" => "exit status 0",
        _ if !said => "failed without a word",
        _ => "nothing but an error",
    };
    match started {
        // Then this run is the one to be explained.
        true => report.of_run(key, outcome, &finished),
        false => report.line(key, outcome),
    }
}

/// What is printed where the target's user namespace cannot be entered.
const NOT_ARRANGED: &str = "the refusal could not be arranged";

/// What comes of a program that may join two of the three namespaces and not the third, for each of the three.
/// The target's user namespace owns two, and the lab's the third. The program is root of the target's, and
/// has no capability in the lab's.
fn refused_one_of_three(report: &mut Report) {
    const THREE: i32 = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_NEWNET;
    for (kind, flag) in
        [("UTS", libc::CLONE_NEWUTS), ("IPC", libc::CLONE_NEWIPC), ("network", libc::CLONE_NEWNET)]
    {
        let target = Neighbor {
            new: flag,
            below: vec![THREE & !flag],
            ..neighbor("target", letters(9..60))
        };
        // A host name is for a UTS namespace of the lab's.
        let host_name = target.host_name.filter(|_| flag == libc::CLONE_NEWUTS);
        let enter = "nsenter --preserve-credentials --user=/proc/$1/ns/user";
        let script = format!(
            "if {enter} true; then exec {enter} \"$0\" \"$@\"; else echo '{NOT_ARRANGED}'; fi"
        );
        let program = exercise!().arg("{target}").script(&script);
        let program = program.neighbor(Neighbor { host_name, ..target });
        refusal(report, &format!("without a right to its {kind} namespace alone"), program);
    }
}

/// If there is no process to join, or you have no capability over its namespaces, or over one of the three,
/// COMMAND must not run in other namespaces instead. Your program prints an error, and exits with a status
/// other than 0.
#[step]
fn step3_without_a_target_nothing_is_started() {
    // So far, a program that never starts anything would pass as well.
    let mut report = report();
    let absent = absent_pid().to_string();
    refusal(&mut report, "without a target", with_target(exercise!().arg(absent), &letters(9..60)));
    // In a user namespace below that of the lab.
    let below = exercise!().arg("{target}").script("exec unshare --user \"$0\" \"$@\"");
    refusal(&mut report, "without a capability", with_target(below, &letters(9..60)));
    refused_one_of_three(&mut report);
    assert_report!(report.lines(&["host name of COMMAND", "without"]), @r"
    host name of COMMAND: TARGET
    without a target: nothing but an error
    without a capability: nothing but an error
    without a right to its UTS namespace alone: nothing but an error
    without a right to its IPC namespace alone: nothing but an error
    without a right to its network namespace alone: nothing but an error
    ");
}

/// `pin` leaves the target's UTS namespace mounted on PATH, and leaves nothing else. Your program has
/// ended and the target is killed, so no process is in the namespace any more. A process that enters it
/// through PATH still finds its host name.
#[step]
fn step4_a_pinned_namespace_outlives_its_last_process() {
    let (name, path) = (letters(9..60), format!("/run/{}", token("kept")));
    let mut attempt =
        Attempt::start(with_target(exercise!().args(["pin", "{target}", &path]), &name));
    attempt.report.role(&name, "TARGET");
    attempt.report.role(&path, "PATH");
    let mut uts = String::new();
    attempt.run.await_end();
    if let Some(target) = attempt.run.neighbor("target") {
        // By its name: a descriptor would keep it alive.
        let namespaces = Namespaces::of(&target).ok();
        uts = namespaces
            .and_then(|all| Some(all.get(Kind::Uts)?.name(Kind::Uts)))
            .unwrap_or_default();
        target.kill();
        target.await_end(patience());
    }
    let mnt = attempt.run.lab().get(Kind::Mnt).expect("every kernel has mount namespaces");
    let found = match visit::host_name_at(mnt, &path) {
        Ok(name) => format!("host name {name}"),
        Err(errno) => format!("no namespace ({})", errno.desc()),
    };
    let is_listed = |names: Vec<String>| names.iter().any(|name| path == format!("/run/{name}"));
    let kept = match &found {
        found if !found.contains("No such file") => "a file",
        _ if visit::names_in(mnt, "/run").is_ok_and(is_listed) => "a link that leads nowhere",
        _ => "nothing",
    };
    attempt.report.aside("PATH itself", kept);
    let mounts = visit::mounts_in(mnt).unwrap_or_default();
    let mount = mounts.iter().find(|mount| mount.point == path);
    let which = match mount {
        Some(mount) if mount.root == uts => "the target's",
        Some(mount) if mount.kind == "nsfs" => "another namespace",
        Some(mount) if mount.kind == "proc" => "a part of /proc",
        Some(_) => "no namespace",
        None => "nothing",
    };
    attempt.report.line("at PATH after the target's death", found);
    attempt.report.line("mounted at PATH", which);
    let report = attempt.finish();
    let keys = ["at PATH", "mounted at", "exit status", "left behind", "lab afterwards"];
    assert_report!(report.lines(&keys), @r"
    at PATH after the target's death: host name TARGET
    mounted at PATH: the target's
    exit status: 0
    left behind: nothing
    lab afterwards: nsfs on PATH is mounted
    ");
}

/// Runs the program with `--all` and a target that has these namespaces, and a user and a network namespace
/// besides. Enters the kinds in which COMMAND is not with the target.
fn with_all(report: &mut Report, key: &str, new: i32) {
    let name = letters(9..60);
    let target = Neighbor {
        name: "target".into(),
        new: libc::CLONE_NEWUTS | libc::CLONE_NEWPID | new,
        host_name: Some(name.clone()),
        below: vec![libc::CLONE_NEWNET],
        ..Neighbor::default()
    };
    let program = exercise!().arg("--all").arg("{target}").witness().neighbor(target);
    let mut attempt = Attempt::start(program);
    let command = attempt.command();
    let target = attempt.run.neighbor("target").and_then(|target| Seen::of(target).ok());
    let apart = match (&command, &target) {
        (Some(command), Some(target)) => {
            let kinds = command.namespaces.apart_from(&target.namespaces);
            let kinds: Vec<_> = kinds.into_iter().map(Kind::name).collect();
            if kinds.is_empty() {
                "together".to_owned()
            } else {
                format!("apart: {}", kinds.join(" "))
            }
        }
        _ => "COMMAND was not started".to_owned(),
    };
    attempt.release();
    let finished = attempt.finish();
    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    let (status, left, lab) = (fact("exit status"), fact("left behind"), fact("lab afterwards"));
    report.of_run(
        key,
        format!("{apart}, exit status {status}, left behind {left}, lab {lab}"),
        &finished,
    );
}

/// With `--all`, COMMAND is in every namespace of the target, also in its user and PID namespace. What
/// the target shares with the lab stays as it is.
#[step]
fn further5_command_is_in_every_namespace_of_the_target() {
    let mut report = Report::default();
    // What one target has of its own, the other shares with the lab.
    with_all(
        &mut report,
        "COMMAND and the first target",
        libc::CLONE_NEWIPC | libc::CLONE_NEWCGROUP,
    );
    with_all(&mut report, "COMMAND and the second target", libc::CLONE_NEWNS);
    assert_report!(report.lines(&["COMMAND and"]), @r"
    COMMAND and the first target: together, exit status COMMAND's, left behind nothing, lab unchanged
    COMMAND and the second target: together, exit status COMMAND's, left behind nothing, lab unchanged
    ");
}
