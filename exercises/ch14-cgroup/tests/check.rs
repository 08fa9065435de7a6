//! `ch14-cgroup [CGROUP [PIDS MEMORY]] -- COMMAND`: COMMAND sees its cgroup as `/`, in a new cgroup
//! with limits if that is asked for.

use harness::doctor::{self, Advice};
use harness::look::{Cgroup, Kind, cgroup};
use harness::sandbox::{self, CGROUPS, SetupError};
use harness::visit;
use harness::{Attempt, Report, Seen, assert_report, exercise, random, token};

/// The line that every step asks for, also where there is nothing more to see.
const NAMESPACE: &str = "COMMAND's cgroup namespace";

/// What the program is asked for before `--`, and what is looked at for that.
#[derive(Default)]
struct Asked {
    cgroup: Option<String>,
    /// Processes, and MiB of memory.
    limits: Option<(u64, u64)>,
}

/// Runs the program once and looks at COMMAND while it is parked. The lab's mounts are shared, as
/// they are on a machine with systemd.
fn report(asked: &Asked) -> Report {
    let limits = asked.limits.map(|(pids, memory)| [pids, memory << 20].map(|it| it.to_string()));
    let arguments: Vec<String> =
        asked.cgroup.iter().chain(limits.iter().flatten()).cloned().collect();
    let exercise = exercise!().cgroups().shared_mounts().args(arguments.clone());
    let mut attempt = exercise.witness().start();
    // The longest first: a number may be a part of a longer one.
    for (word, role) in arguments.iter().zip(["CGROUP", "PIDS", "MEMORY"]).rev() {
        attempt.report.role(word, role);
    }
    if asked.cgroup.is_some() {
        attempt.report.aside("COMMAND's CGROUP", "was asked for");
    }
    if let Some(command) = attempt.command() {
        look(&mut attempt, &command);
        if let (Some(limits), Ok(cgroup)) = (asked.limits, Cgroup::of(&command.process)) {
            try_limits(&mut attempt.report, &cgroup, limits);
        }
    }
    attempt.release();
    attempt.finish()
}

fn look(attempt: &mut Attempt, command: &Seen) {
    let lab = attempt.run.lab().get(Kind::Cgroup).expect("the lab has one of its own");
    let own = command.namespaces.get(Kind::Cgroup).expect("as the lab has");
    let file = format!("/proc/{}/cgroup", command.process.pid());
    // The same file says something else to readers in other cgroup namespaces.
    let seen_from = |place| match visit::read_in(place, &file) {
        Ok(text) => cgroup::path_in(&text).unwrap_or_else(|| "in no hierarchy".to_owned()),
        Err(errno) => format!("cannot be read ({errno})"),
    };
    let (from_lab, from_there) = (seen_from(lab), seen_from(own));
    let shows = mounted(command);
    let namespace = if own == lab { "the lab's" } else { "its own" };
    let report = &mut attempt.report;
    report.line(NAMESPACE, namespace);
    report.line("its path to COMMAND", from_there);
    report.line("its path to the lab", from_lab);
    report.line("/sys/fs/cgroup of COMMAND", shows);
}

/// What COMMAND finds mounted. The root of a mount and the path of a process are both told from where
/// we are, so they can be compared.
fn mounted(command: &Seen) -> &'static str {
    let mounts = command.process.mounts().unwrap_or_default();
    let path = cgroup::path_of(&command.process).unwrap_or_default();
    match mounts.iter().rfind(|mount| mount.point == CGROUPS) {
        Some(mount) if mount.kind == "cgroup2" && mount.root == path => "shows its cgroup",
        Some(mount) if mount.kind == "cgroup2" => "shows another cgroup as the root",
        Some(_) => "shows no cgroups of version 2",
        None => "is an empty folder",
    }
}

/// Tries both limits. What the files say is told as well: a limit that is too low is none of what
/// was asked for.
fn try_limits(report: &mut Report, cgroup: &Cgroup, (pids, memory): (u64, u64)) {
    for file in ["pids.max", "memory.max"] {
        let said = cgroup.read(file).unwrap_or_else(|errno| format!("cannot be read ({errno})"));
        report.line(file, said);
    }
    let most = match cgroup.fill_with_processes(2 * pids) {
        Ok(most) if most >= 2 * pids => "at least twice PIDS".to_owned(),
        Ok(most) => most.to_string(),
        Err(errno) => format!("cannot be tried ({errno})"),
    };
    report.line("processes that fit in", most);
    let hits = || cgroup.count("memory.events", "max ");
    let outcome = match (hits(), cgroup.fill_with_memory((2 * memory) << 20), hits()) {
        (Ok(before), Ok(_), Ok(after)) if after > before => "is not given".to_owned(),
        (Ok(_), Ok(_), Ok(_)) => "is given".to_owned(),
        (Err(errno), ..) | (_, Err(errno), _) | (.., Err(errno)) => {
            format!("cannot be tried ({errno})")
        }
    };
    report.line("twice as much memory", outcome);
}

/// A cgroup of a random name.
fn in_a_cgroup() -> Asked {
    Asked { cgroup: Some(token("otter")), limits: None }
}

/// With limits that are far from what the program needs, and from what a lab may use.
fn with_limits() -> Asked {
    Asked { limits: Some((110 + random() % 60, 24 + random() % 40)), ..in_a_cgroup() }
}

/// What this machine has to show without `what`, and why not that.
fn without(what: &str, refused: &SetupError) -> Report {
    let mut report = report(&Asked::default());
    let Advice { cause, remedy, .. } = doctor::explain(refused);
    report.skip(what, &format!("{refused}; {cause}; help: {remedy}"));
    report
}

/// COMMAND is in a cgroup namespace of its own, and sees the cgroup that it is in as `/`.
#[test]
fn step1_command_sees_its_cgroup_as_the_root() {
    let report = report(&Asked::default());
    assert_report!(report.lines(&[NAMESPACE, "its path to COMMAND"]), @r"
    COMMAND's cgroup namespace: its own
    its path to COMMAND: /
    ");
}

/// At `/sys/fs/cgroup` COMMAND finds a mount that shows its own cgroup. It is in a mount namespace of
/// COMMAND's own, and the lab's mounts are as they were. They are shared, as on most machines.
#[test]
fn step2_a_fresh_mount_shows_its_cgroup() {
    let report = report(&Asked::default());
    assert_report!(report.table(&["/sys/fs/cgroup of", "lab afterwards"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     B    A    A    A    A    B       A
    /sys/fs/cgroup of COMMAND: shows its cgroup
    lab afterwards: unchanged
    ");
}

/// With CGROUP before `--` a cgroup of that name is made below `/sys/fs/cgroup`, and COMMAND is in it.
/// COMMAND sees it as `/`, and the lab by its name: COMMAND was moved first, and got its view then.
#[test]
fn step3_moved_first_then_the_view() {
    let report = match sandbox::has_cgroups() {
        Ok(()) => report(&in_a_cgroup()),
        Err(refused) => {
            let report = without("whether it was moved before", &refused);
            return assert_report!(report.lines(&[NAMESPACE]), @"COMMAND's cgroup namespace: its own");
        }
    };
    let lines = [NAMESPACE, "its path", "/sys/fs/cgroup of"];
    assert_report!(report.lines(&lines), @r"
    COMMAND's cgroup namespace: its own
    its path to COMMAND: /
    its path to the lab: /CGROUP
    /sys/fs/cgroup of COMMAND: shows its cgroup
    ");
}

/// With PIDS and MEMORY after CGROUP, that cgroup can have so many processes and so many bytes of
/// memory, and no more: somebody from outside goes in and tries.
#[test]
fn step4_the_limits_hold() {
    let report = match sandbox::has_cgroup_limits() {
        Ok(()) => report(&with_limits()),
        Err(refused) => {
            let report = without("whether limits hold", &refused);
            return assert_report!(report.lines(&[NAMESPACE]), @"COMMAND's cgroup namespace: its own");
        }
    };
    let lines = ["its path", "pids.max", "memory.max", "processes", "twice"];
    assert_report!(report.lines(&lines), @r"
    its path to COMMAND: /
    its path to the lab: /CGROUP
    pids.max: PIDS
    memory.max: MEMORY
    processes that fit in: PIDS
    twice as much memory: is not given
    ");
}

/// Your program exits with COMMAND's status. No process is left, and the cgroup is gone: it does not
/// go by itself.
#[test]
fn step5_the_cgroup_goes_with_command() {
    let report = match sandbox::has_cgroups() {
        Ok(()) => report(&in_a_cgroup()),
        Err(refused) => without("whether the cgroup is removed", &refused),
    };
    let lines = [NAMESPACE, "exit status", "left behind", "lab afterwards"];
    assert_report!(report.lines(&lines), @r"
    COMMAND's cgroup namespace: its own
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    ");
}
