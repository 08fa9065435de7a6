//! `ch14-cgroup [CGROUP [PIDS MEMORY]] -- COMMAND`: COMMAND sees its cgroup as `/`, in a new cgroup
//! with limits on request.

use std::rc::Rc;

use harness::doctor::{self, Advice};
use harness::look::{Cgroup, Kind, Namespaces, cgroup};
use harness::sandbox::{self, CGROUPS, Refusal};
use harness::visit;
use harness::{Attempt, Report, Seen, assert_report, exercise, random, refused, step, token};

/// The line that every step compares, even on a machine that can show nothing more.
const NAMESPACE: &str = "COMMAND's cgroup namespace";

const BEFORE: &str = "before the parent goes on";

/// The options before `--`, which decide what the check looks at.
#[derive(Default)]
struct Options {
    cgroup: Option<String>,
    /// Number of processes, and MiB of memory.
    limits: Option<(u64, u64)>,
    /// Whether COMMAND is looked at before its parent goes on. What is done beside its start usually comes in
    /// time, and here it comes too late.
    holds_parents: bool,
}

/// Runs the program once and looks at COMMAND while it is parked. The lab's mounts are shared, as
/// they are on a machine with systemd.
fn report(options: &Options) -> Report {
    let limits = options.limits.map(|(pids, memory)| [pids, memory << 20].map(|it| it.to_string()));
    let arguments: Vec<String> =
        options.cgroup.iter().chain(limits.iter().flatten()).cloned().collect();
    let mut sandbox = exercise!().cgroups().shared_mounts().args(arguments.clone());
    if options.holds_parents {
        sandbox = sandbox.hold_parents();
    }
    let mut attempt = Attempt::start(sandbox.witness());
    // The longest first, because one number may be a part of a longer one.
    for (word, role) in arguments.iter().zip(["CGROUP", "PIDS", "MEMORY"]).rev() {
        attempt.report.role(word, role);
    }
    if options.cgroup.is_some() {
        attempt.report.aside("COMMAND's CGROUP", "requested");
    }
    if let Some(command) = attempt.command() {
        look(&mut attempt, &command);
        if let Some(limits) = options.limits {
            try_limits(&mut attempt, &command, limits);
        }
    }
    attempt.release();
    attempt.finish()
}

fn look(attempt: &mut Attempt, command: &Rc<Seen>) {
    let place = |namespaces: &Namespaces| {
        let cgroup = namespaces.get(Kind::Cgroup).expect("each process is in one");
        cgroup.try_clone().expect("another descriptor")
    };
    let (lab, own) = (place(attempt.run.lab()), place(&command.namespaces));
    attempt.report.line(NAMESPACE, if own == lab { "the lab's" } else { "its own" });
    // The same file shows another path to a reader in another cgroup namespace.
    for (key, place) in [("COMMAND", own), ("the lab", lab)] {
        attempt.look(&format!("its cgroup, seen by {key}"), command, move |command| {
            let file = format!("/proc/{}/cgroup", command.process.pid());
            match visit::read_in(&place, &file) {
                Ok(text) => cgroup::path_in(&text).unwrap_or("in no hierarchy".to_owned()),
                Err(errno) => format!("cannot be read ({errno})"),
            }
        });
    }
    attempt.look("/sys/fs/cgroup of COMMAND", command, |command| mounted(command).to_owned());
}

/// What is mounted on COMMAND's `/sys/fs/cgroup`. The kernel shows this check the root of a mount and the
/// path of a process in the same cgroup namespace, its own, so the two can be compared.
fn mounted(command: &Seen) -> &'static str {
    let mounts = command.process.mounts().unwrap_or_default();
    let path = cgroup::path_of(&command.process).unwrap_or_default();
    match mounts.iter().rfind(|mount| mount.point == CGROUPS) {
        Some(mount) if mount.kind == "cgroup2" && mount.root == path => "shows its cgroup",
        Some(mount) if mount.kind == "cgroup2" => "shows another cgroup as the root",
        Some(_) => "shows no cgroups of version 2",
        None => "is an empty directory",
    }
}

/// Tries both limits. It reports the files as well, because a limit that is too low would also hold.
fn try_limits(attempt: &mut Attempt, command: &Rc<Seen>, (pids, memory): (u64, u64)) {
    for file in ["pids.max", "memory.max"] {
        attempt.look(file, command, move |command| {
            let limit = Cgroup::of(&command.process).and_then(|cgroup| cgroup.read(file));
            limit.unwrap_or_else(|errno| format!("cannot be read ({errno})"))
        });
    }
    let Ok(cgroup) = Cgroup::of(&command.process) else { return };
    let report = &mut attempt.report;
    let most = match cgroup.fill_with_processes(2 * pids) {
        Ok(most) if most >= 2 * pids => "at least twice PIDS".to_owned(),
        Ok(most) => most.to_string(),
        Err(errno) => format!("cannot be tried ({errno})"),
    };
    report.line("processes it can hold", most);
    let hits = || cgroup.count("memory.events", "max ");
    let outcome = match (hits(), cgroup.fill_with_memory((2 * memory) << 20), hits()) {
        (Ok(before), Ok(_), Ok(after)) if after > before => "refused".to_owned(),
        (Ok(_), Ok(_), Ok(_)) => "granted".to_owned(),
        (Err(errno), ..) | (_, Err(errno), _) | (.., Err(errno)) => {
            format!("cannot be tried ({errno})")
        }
    };
    report.line("twice as much memory", outcome);
}

/// A cgroup with a random name.
fn in_a_cgroup() -> Options {
    Options { cgroup: Some(token("otter")), ..Options::default() }
}

/// Limits that are far above what the program needs, and far below what a lab may use.
fn with_limits() -> Options {
    Options { limits: Some((110 + random() % 60, 24 + random() % 40)), ..in_a_cgroup() }
}

/// Runs the program without a cgroup, and enters in the report why `what` cannot be checked here.
fn without(what: &str, refused: &Refusal) -> Report {
    let mut report = report(&Options::default());
    let Advice { cause, remedy, .. } = doctor::explain(refused);
    report.skip(what, &format!("{refused}; {cause}; help: {remedy}"));
    report
}

/// COMMAND is in a cgroup namespace of its own, and sees its cgroup as `/`.
#[step]
fn step1_command_sees_its_cgroup_as_the_root() {
    let report = report(&Options::default());
    assert_report!(report.lines(&[NAMESPACE, "its cgroup, seen by COMMAND"]), @r"
    COMMAND's cgroup namespace: its own
    its cgroup, seen by COMMAND: /
    ");
}

/// The mount on COMMAND's `/sys/fs/cgroup` shows COMMAND's own cgroup. It is in a mount namespace of
/// COMMAND's own. The lab's mounts, which are shared as on most machines, have not changed.
#[step]
fn step2_a_new_mount_shows_its_cgroup() {
    let report = match sandbox::has_cgroups() {
        Ok(()) => report(&Options::default()),
        // The lab's own mount shows the cgroup of the check then, which is COMMAND's, too.
        Err(refused) => without("whether the mount is a new one", &refused),
    };
    assert_report!(report.table(&["/sys/fs/cgroup of", "lab afterwards"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     B    A    A    A    A    B       A
    /sys/fs/cgroup of COMMAND: shows its cgroup
    lab afterwards: unchanged
    ");
}

/// With CGROUP before `--`, your program makes a cgroup of that name below `/sys/fs/cgroup`, and COMMAND
/// is in it. COMMAND sees it as `/`, and the lab by its name. So COMMAND was moved first, and got its
/// namespace after that.
#[step]
fn step3_command_is_moved_before_its_namespace_is_made() {
    let report = match sandbox::has_cgroups() {
        Ok(()) => report(&in_a_cgroup()),
        Err(refused) => {
            let report = without("whether COMMAND was moved first", &refused);
            return assert_report!(report.lines(&[NAMESPACE]), @"COMMAND's cgroup namespace: its own");
        }
    };
    let lines = [NAMESPACE, "its cgroup", "/sys/fs/cgroup of"];
    assert_report!(report.lines(&lines), @r"
    COMMAND's cgroup namespace: its own
    its cgroup, seen by COMMAND: /
    its cgroup, seen by the lab: /CGROUP
    /sys/fs/cgroup of COMMAND: shows its cgroup
    ");
}

/// With PIDS and MEMORY after CGROUP, that cgroup can hold that many processes and that many bytes of
/// memory, and no more. The check moves processes of its own there and tries.
#[step]
fn step4_the_limits_hold() {
    let mut report = match sandbox::has_cgroup_limits() {
        Ok(()) => report(&with_limits()),
        Err(refused) => {
            let report = without("whether limits hold", &refused);
            return assert_report!(report.lines(&[NAMESPACE]), @"COMMAND's cgroup namespace: its own");
        }
    };
    let held = self::report(&Options { holds_parents: true, ..with_limits() });
    report.same(BEFORE, &held, &["pids.max", "memory.max"]);
    let lines = ["its cgroup", "pids.max", "memory.max", "processes", "twice", BEFORE];
    assert_report!(report.lines(&lines), @r"
    its cgroup, seen by COMMAND: /
    its cgroup, seen by the lab: /CGROUP
    pids.max: PIDS
    memory.max: MEMORY
    processes it can hold: PIDS
    twice as much memory: refused
    before the parent goes on: the same
    ");
}

/// Runs the program with another command line, and reports what is left of its cgroup. `report` knows the
/// roles of its words.
fn ending(report: &mut Report, key: &str, options: &[&str], command: &[&str]) {
    let sandbox = exercise!().cgroups().shared_mounts();
    let words = [options, &["--"], command].concat();
    let finished = Attempt::start(sandbox.args(words)).finish();
    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    report.line(&format!("{key}, status"), fact("exit status"));
    report.of_run(&format!("{key}, lab afterwards"), fact("lab afterwards"), &finished);
}

/// Your program exits with COMMAND's status. No process is left, and the cgroup is gone, which does not
/// happen by itself, whether COMMAND has failed, has succeeded, or could not be started, because it is missing
/// or the kernel has refused a limit.
#[step]
fn step5_the_cgroup_is_removed_after_command() {
    let (mut report, options) = match sandbox::has_cgroups() {
        Ok(()) => {
            let options = in_a_cgroup();
            (report(&options), options)
        }
        Err(refused) => (without("whether the cgroup is removed", &refused), Options::default()),
    };
    let status = (128 + random() % 120).to_string();
    report.role(&status, "HIGH");
    let fails = ["/bin/sh", "-c", &format!("exit {status}")];
    let cgroup: Vec<&str> = options.cgroup.iter().map(String::as_str).collect();
    ending(&mut report, "a COMMAND that fails", &cgroup, &fails);
    ending(&mut report, "a COMMAND that succeeds", &cgroup, &["/bin/true"]);
    let missing = format!("/lab/{}", token("missing"));
    ending(&mut report, "a COMMAND that is missing", &cgroup, &[&missing]);
    // The kernel takes no word as a limit, and without controllers there is no file to write it to. Where the
    // lab has no cgroups, it refuses the cgroup already.
    let name = options.cgroup.unwrap_or_else(|| token("otter"));
    let program = exercise!().cgroups().shared_mounts().args([&name, "few", "little"]);
    refused(&mut report, "a limit that is refused", program);
    let lines = [
        NAMESPACE,
        "exit status",
        "left behind",
        "lab afterwards",
        "a COMMAND that fails",
        "a COMMAND that succeeds",
        "a COMMAND that is missing, lab",
        "a limit that is refused",
    ];
    assert_report!(report.lines(&lines), @r"
    COMMAND's cgroup namespace: its own
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    a COMMAND that fails, status: HIGH
    a COMMAND that fails, lab afterwards: unchanged
    a COMMAND that succeeds, status: 0
    a COMMAND that succeeds, lab afterwards: unchanged
    a COMMAND that is missing, lab afterwards: unchanged
    a limit that is refused: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    ");
}

/// What COMMAND leaves behind: a process that ignores signals, one in a cgroup below its own, and one that is
/// another one at each moment, because it forks and ends.
const LEAVES: &str = r#"
    (trap '' HUP INT TERM; exec sleep 1000) &
    mkdir /sys/fs/cgroup/below
    sleep 1000 & echo $! > /sys/fs/cgroup/below/cgroup.procs
    hop='sh -c "$0" "$0" &'
    sh -c "$hop" "$hop"
    exec {witness}"#;

/// COMMAND may leave processes in CGROUP, and in cgroups that it has made below. When COMMAND ends, your
/// program ends all of them, also one that forks and ends all the time. Then it removes the cgroups, and exits
/// with COMMAND's status.
#[step]
fn further6_what_command_leaves_ends_with_it() {
    if let Err(refused) = sandbox::has_cgroups() {
        let report = without("whether what COMMAND leaves ends with it", &refused);
        return assert_report!(report.lines(&[NAMESPACE]), @"COMMAND's cgroup namespace: its own");
    }
    let name = token("otter");
    let sandbox = exercise!().cgroups().shared_mounts();
    let mut attempt = Attempt::start(sandbox.args([name.as_str(), "--", "/bin/sh", "-c", LEAVES]));
    attempt.report.role(&name, "CGROUP");
    let mut report = Report::default();
    if let Some(command) = attempt.command() {
        let cgroup = Cgroup::of(&command.process);
        let below = cgroup.and_then(|cgroup| cgroup.read("below/cgroup.procs"));
        let there = below.is_ok_and(|pids| !pids.is_empty());
        report.line("in a cgroup below", if there { "a process" } else { "no process" });
    }
    attempt.release();
    attempt.run.await_end();
    // Those that have ended were COMMAND's to wait for, and not the program's.
    let running = attempt.run.processes().len();
    let finished = attempt.finish();
    report.line("still running", if running == 0 { "nothing" } else { "what COMMAND left" });
    let fact = |key: &str| finished.fact(key).unwrap_or_default();
    report.line("status of your program", fact("exit status"));
    report.line("the lab then", fact("lab afterwards"));
    report.aside("stderr", fact("stderr"));
    assert_report!(report.lines(&["in a cgroup below", "still", "status", "the lab"]), @r"
    in a cgroup below: a process
    still running: nothing
    status of your program: COMMAND's
    the lab then: unchanged
    ");
}
