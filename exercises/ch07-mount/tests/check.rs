//! `ch07-mount DIR TEXT -- COMMAND`: a mount that no other process sees, in a lab whose mounts are
//! shared.

use std::rc::Rc;

use harness::look::{Kind, Mount, Namespace};
use harness::sandbox::{Fixture, Neighbor, Sandbox};
use harness::visit::{mount_at, mounts_in, names_in, read_in, unmount_at};
use harness::{
    Attempt, Report, Seen, assert_report, exercise, high_status, letters, no_more_namespaces,
    not_refused, random, refused, step,
};

/// One of these words, another one in each run.
fn one_of(words: &[&'static str]) -> &'static str {
    words[random() as usize % words.len()]
}

/// The program in a lab whose mounts are all shared, with its two arguments. DIR is an empty directory
/// there, on another mount than `/`.
fn program(sandbox: Sandbox) -> (Sandbox, [String; 2]) {
    let dir = format!("{}/{}", one_of(&["/run", "/tmp"]), letters(8..20));
    let text = format!("{} {}", letters(8..20), letters(8..20));
    let sandbox = sandbox.shared_mounts().fixture(&dir, Fixture::Directory).args([&dir, &text]);
    (sandbox, [dir, text])
}

/// Starts it with the witness as COMMAND. Also returns DIR.
fn attempt(sandbox: Sandbox) -> (Attempt, String) {
    let (program, words) = program(sandbox);
    start(program, words)
}

fn start(program: Sandbox, [dir, text]: [String; 2]) -> (Attempt, String) {
    let mut attempt = Attempt::start(program.witness());
    attempt.report.role(&dir, "DIR");
    attempt.report.role(&text, "TEXT");
    (attempt, dir)
}

/// Runs the program once, and looks at both sides while COMMAND is parked.
fn report(sandbox: Sandbox) -> Report {
    let (mut attempt, dir) = attempt(sandbox);
    look(&mut attempt, &dir);
    attempt.release();
    attempt.finish()
}

/// Waits for COMMAND, and enters what it finds on DIR and what the lab does.
fn look(attempt: &mut Attempt, dir: &str) -> Option<Rc<Seen>> {
    let command = attempt.command()?;
    attempt.history_of(&command);
    let before: Vec<_> = attempt.run.mounts().iter().map(|mount| mount.device.clone()).collect();
    let here = dir.to_owned();
    attempt.look("DIR in COMMAND", &command, move |command| {
        format!("{}, {}", mounted(command, &here, &before), written(command, &here))
    });
    let seen = attempt.report.fact("DIR in COMMAND").unwrap_or_default();
    if seen.starts_with("tmpfs, token ") && seen != "tmpfs, token TEXT" {
        attempt.report.aside("the token", "another text");
    }
    if let Some(names) = names_in(command.mnt(), dir).ok().filter(|names| !names.is_empty()) {
        attempt.report.aside("names in COMMAND's DIR", names.join(", "));
    }
    let in_the_lab = match names_in(lab(attempt), dir) {
        Ok(names) if names.is_empty() => "empty".to_owned(),
        Ok(names) => names.join(", "),
        Err(errno) => format!("cannot be read ({errno})"),
    };
    attempt.report.line("DIR in the lab", in_the_lab);
    let changes = the_first(attempt.mounts_changed(), dir);
    attempt.report.line("the lab's mounts while COMMAND runs", changes);
    diagnose(attempt, &command);
    Some(command)
}

/// Some of what has changed: all that concerns DIR or the propagation, and the first of the other mounts.
/// A bind mount of `/` that gets out changes every one.
fn the_first(changes: Vec<String>, dir: &str) -> String {
    let is_named = |change: &String| change.contains(dir) || change.contains(", not ");
    let (mut named, others): (Vec<_>, Vec<_>) = changes.into_iter().partition(is_named);
    let shown = if others.len() > 4 { 3 } else { others.len() };
    named.extend(others[..shown].iter().cloned());
    if shown < others.len() {
        named.push(format!("and {} more changes", others.len() - shown));
    }
    if named.is_empty() { "unchanged".to_owned() } else { named.join(", ") }
}

fn lab(attempt: &Attempt) -> &Namespace {
    attempt.run.lab().get(Kind::Mnt).expect("every kernel has mount namespaces")
}

/// What is mounted on DIR for COMMAND. `known` are the devices of the lab's own file systems.
fn mounted(command: &Seen, dir: &str, known: &[String]) -> String {
    let mounts = mounts_in(command.mnt()).unwrap_or_default();
    let below = |mount: &&Mount| mount.point.starts_with(&format!("{dir}/"));
    match mounts.iter().rfind(|mount| mount.point == dir) {
        None => "no mount".to_owned(),
        Some(mount) if known.contains(&mount.device) => format!("{} of the lab", mount.kind),
        Some(mount) => match mounts.iter().find(below) {
            Some(other) => format!("{} with {other}", mount.kind),
            None => mount.kind.clone(),
        },
    }
}

/// What COMMAND finds in DIR.
fn written(command: &Seen, dir: &str) -> String {
    match read_in(command.mnt(), &format!("{dir}/token")) {
        Ok(text) if text.is_empty() => "an empty token".to_owned(),
        Ok(text) => match text.strip_suffix('\n') {
            Some(line) => format!("token {line} and a line end"),
            None => format!("token {text}"),
        },
        Err(_)
            if names_in(command.mnt(), dir).is_ok_and(|names| names.contains(&"token".into())) =>
        {
            "a token that is no file".to_owned()
        }
        Err(_) => "no token".to_owned(),
    }
}

/// Reports the propagation of COMMAND's mounts: of the one on `/`, and of the others that it was born
/// with.
fn diagnose(attempt: &mut Attempt, command: &Seen) {
    let mounts = mounts_in(command.mnt()).unwrap_or_default();
    let is_known = |mount: &Mount| attempt.run.mounts().iter().any(|old| old.point == mount.point);
    let new: Vec<_> =
        mounts.iter().filter(|mount| !is_known(mount)).map(Mount::to_string).collect();
    let old = mounts
        .iter()
        .filter(|mount| attempt.run.mounts().iter().any(|before| before.point == mount.point));
    let (root, others): (Vec<_>, Vec<_>) = old.partition(|mount| mount.point == "/");
    let propagation = |mounts: Vec<&Mount>| {
        let mut kinds: Vec<_> = mounts.iter().map(|mount| mount.propagation.to_string()).collect();
        kinds.sort();
        kinds.dedup();
        kinds.join(", ")
    };
    let (root, others) = (propagation(root), propagation(others));
    if !new.is_empty() {
        attempt.report.aside("COMMAND's new mounts", new.join(", "));
    }
    attempt.report.aside("COMMAND's mount on /", root);
    attempt.report.aside("COMMAND's other mounts", others);
}

/// COMMAND has a mount namespace of its own, and shares the other seven with the lab.
#[step]
fn step1_command_has_a_mount_namespace_of_its_own() {
    assert_report!(report(exercise!()).table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     B    A    A    A    A    A       A
    ");
}

/// COMMAND finds a new tmpfs on DIR, and TEXT in its file `token`, from the beginning. Meanwhile DIR is empty in the lab, and
/// the lab's mounts have not changed, not even for a moment. Every mount of the lab is shared, so a new
/// namespace is not enough to keep a mount in it.
#[step]
fn step2_command_sees_the_token_and_the_lab_does_not() {
    // What could mount or write when COMMAND runs already is held: the process that has started COMMAND,
    // or in another run one that was made before.
    let (mut report, other) =
        (report(exercise!().hold_parents()), report(exercise!().hold_children()));
    let lines = ["DIR", "the lab's mounts", "lab meanwhile"];
    report.same("COMMAND before a helper runs", &other, &lines);
    assert_report!(report.lines(&[&lines[..], &["COMMAND before"]].concat()), @r"
    DIR in COMMAND: tmpfs, token TEXT
    DIR in the lab: empty
    the lab's mounts while COMMAND runs: unchanged
    lab meanwhile: unchanged
    COMMAND before a helper runs: the same
    ");
}

/// While COMMAND is parked, the check itself mounts: what it mounts in the lab, COMMAND sees as well, but
/// what it mounts in COMMAND's namespace, the lab does not see. It tries this on the mount at `/` and on
/// another one, and looks at the propagation of all.
#[step]
fn step3_later_mounts_propagate_in_but_not_out() {
    let (mut attempt, _) = attempt(exercise!());
    if let Some(command) = attempt.command() {
        let places = [
            one_of(&["/mnt", "/var"]).to_owned(),
            format!("{}/{}", one_of(&["/run", "/tmp", "/dev/shm"]), letters(8..20)),
        ];
        let lab = lab(&attempt).try_clone().expect("one more descriptor");
        let inwards = places.each_ref().map(|place| propagates(&lab, command.mnt(), place));
        let outwards = places.each_ref().map(|place| propagates(command.mnt(), &lab, place));
        attempt.report.line("COMMAND sees what the lab mounts", inwards.join(", "));
        attempt.report.line("the lab sees what COMMAND mounts", outwards.join(", "));
        let groups: Vec<_> =
            attempt.run.mounts().iter().filter_map(|it| it.propagation.shared).collect();
        let points: Vec<_> = attempt.run.mounts().iter().map(|it| it.point.clone()).collect();
        attempt.look("mounts that are no slaves of the lab's", &command, move |command| {
            let mounts = mounts_in(command.mnt()).unwrap_or_default();
            let is_slave = |mount: &&Mount| {
                let Mount { propagation, .. } = mount;
                let sends = propagation.shared.is_some_and(|group| groups.contains(&group));
                propagation.master.is_some() && !sends
            };
            let copies = mounts.iter().filter(|mount| points.contains(&mount.point));
            let others: Vec<_> =
                copies.filter(|it| !is_slave(it)).map(|it| it.point.as_str()).collect();
            if others.is_empty() { "none".to_owned() } else { others.join(" ") }
        });
        diagnose(&mut attempt, &command);
    }
    attempt.release();
    assert_report!(attempt.finish().lines(&["COMMAND", "the lab sees", "mounts that"]), @r"
    COMMAND sees what the lab mounts: yes, yes
    the lab sees what COMMAND mounts: no, no
    mounts that are no slaves of the lab's: none
    ");
}

/// Makes a mount in `here` for a moment, and reports whether it appears in `there` as well.
fn propagates(here: &Namespace, there: &Namespace, place: &str) -> String {
    let count = || mounts_in(there).map(|all| all.iter().filter(|one| one.point == place).count());
    let seen = || -> nix::Result<bool> {
        let before = count()?;
        mount_at(here, place)?;
        let after = count();
        _ = unmount_at(here, place);
        Ok(after? > before)
    };
    match seen() {
        Ok(true) => "yes".to_owned(),
        Ok(false) => "no".to_owned(),
        Err(errno) => format!("{place} cannot be tried ({errno})"),
    }
}

/// COMMAND finds the token, your program exits with COMMAND's status and leaves no process behind, and
/// the lab has not changed.
#[step]
fn step4_its_status_is_passed_on_and_the_lab_is_unchanged() {
    let mut report = report(exercise!());
    high_status(&mut report, program(exercise!()).0);
    let keys = ["DIR in COMMAND", "exit status", "left behind", "lab afterwards", "a COMMAND"];
    assert_report!(report.lines(&keys), @r"
    DIR in COMMAND: tmpfs, token TEXT
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    a COMMAND with a high status: exit status HIGH, left behind: nothing
    ");
}

/// Where DIR does not exist, or the kernel refuses to make a mount namespace, your program starts nothing,
/// leaves the lab as it was, and exits with another status than 0.
#[step]
fn step5_after_a_refused_call_no_command_is_started() {
    let mut report = Report::default();
    let nowhere = format!("/run/{}", letters(8..20));
    let sandbox = exercise!().shared_mounts().args([&nowhere, &letters(8..20)]);
    let (other, [dir, _]) = program(exercise!());
    report.role(&nowhere, "DIR");
    report.role(&dir, "DIR");
    refused(&mut report, "a DIR that does not exist", sandbox);
    refused(&mut report, "no more mount namespaces", no_more_namespaces(other, "mnt"));
    let key = "DIR in COMMAND where nothing is refused";
    not_refused(&mut report, key, "DIR in COMMAND", &self::report(exercise!()));
    assert_report!(report.lines(&["a DIR", "no more", "DIR in"]), @r"
    a DIR that does not exist: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    no more mount namespaces: COMMAND is not started, your program fails, left behind: nothing, the lab is unchanged
    DIR in COMMAND where nothing is refused: tmpfs, token TEXT
    ");
}

/// The process PID runs already when your program starts, in a user namespace and a mount namespace of its
/// own. While COMMAND runs, PID finds the very tmpfs of COMMAND on DIR, too. PID's other mounts have not
/// changed, and the lab's have not either, not even for a moment.
#[step]
fn further6_the_mount_is_put_into_a_running_namespace() {
    let running =
        Neighbor { name: "PID".into(), below: vec![libc::CLONE_NEWNS], ..Neighbor::default() };
    let (sandbox, words) = program(exercise!().hold_parents().neighbor(running));
    let (mut attempt, dir) = start(sandbox.args(["--into", "{PID}"]), words);
    // The first row after the lab's, so that it has the same letters whatever becomes of COMMAND.
    attempt.row_of("PID");
    let command = look(&mut attempt, &dir);
    let running = attempt.run.neighbor("PID").and_then(|process| Seen::of(process).ok());
    if let (Some(command), Some(running)) = (command, running.map(Rc::new)) {
        let here = dir.clone();
        attempt.look("DIR in PID", &running, move |running| {
            let mounted = match [&command, running].map(|seen| device(seen, &here)) {
                [_, None] => "no mount",
                [device, other] if device == other => "the tmpfs of COMMAND",
                _ => "another mount",
            };
            format!("{mounted}, {}", written(running, &here))
        });
        let lab = attempt.run.mounts().iter();
        let known: Vec<_> = lab.map(|it| (it.point.clone(), it.propagation.shared)).collect();
        attempt.look("the other mounts of PID", &running, move |running| {
            other_mounts(running, &dir, &known)
        });
    }
    attempt.release();
    let keys =
        ["DIR in", "the other", "the lab's mounts", "lab mean", "exit status", "left behind"];
    assert_report!(attempt.finish().table(&keys), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    PID      B     B    A    A    A    A    A       A
    COMMAND  A     C    A    A    A    A    A       A
    DIR in COMMAND: tmpfs, token TEXT
    DIR in the lab: empty
    the lab's mounts while COMMAND runs: unchanged
    DIR in PID: the tmpfs of COMMAND, token TEXT
    the other mounts of PID: unchanged
    exit status: COMMAND's
    left behind: nothing
    lab meanwhile: unchanged
    ");
}

/// The device of the file system that is mounted on DIR there.
fn device(seen: &Seen, dir: &str) -> Option<String> {
    let mounts = mounts_in(seen.mnt()).unwrap_or_default();
    mounts.into_iter().rfind(|mount| mount.point == dir).map(|mount| mount.device)
}

/// Whether a process has the lab's mounts, each as a slave of the lab's, and no more than those besides the
/// one on DIR. `lab` are the lab's, with their peer groups.
fn other_mounts(running: &Seen, dir: &str, lab: &[(String, Option<u64>)]) -> String {
    let mounts = mounts_in(running.mnt()).unwrap_or_default();
    let is_slave = |mount: &Mount| {
        let Mount { point, propagation, .. } = mount;
        let is_sender =
            |(sender, group): &(String, _)| sender == point && *group == propagation.master;
        lab.iter().any(is_sender) && propagation.shared.is_none()
    };
    let changed = mounts.iter().find(|mount| mount.point != dir && !is_slave(mount));
    let many = mounts.len() - mounts.iter().any(|mount| mount.point == dir) as usize;
    match changed {
        Some(mount) => format!("{mount} is {}", mount.propagation),
        None if many != lab.len() => format!("{many} instead of {}", lab.len()),
        None => "unchanged".to_owned(),
    }
}
