//! `ch07-mount DIR TEXT -- COMMAND`: a mount that no other process sees, in a lab whose mounts are
//! shared.

use harness::look::{Kind, Mount, Namespace};
use harness::sandbox::{Fixture, Sandbox};
use harness::visit::{mount_at, mounts_in, names_in, read_in, unmount_at};
use harness::{Attempt, Report, Seen, assert_report, exercise, high_status, letters, random, step};

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
    let (program, [dir, text]) = program(sandbox);
    let mut attempt = Attempt::start(program.witness());
    attempt.report.role(&dir, "DIR");
    attempt.report.role(&text, "TEXT");
    (attempt, dir)
}

/// Runs the program once, and looks at both sides while COMMAND is parked.
fn report(sandbox: Sandbox) -> Report {
    let (mut attempt, dir) = attempt(sandbox);
    if let Some(command) = attempt.command() {
        attempt.history_of(&command);
        let before: Vec<_> =
            attempt.run.mounts().iter().map(|mount| mount.device.clone()).collect();
        let here = dir.clone();
        attempt.look("DIR in COMMAND", &command, move |command| {
            format!("{}, {}", mounted(command, &here, &before), written(command, &here))
        });
        let seen = attempt.report.fact("DIR in COMMAND").unwrap_or_default();
        if seen.starts_with("tmpfs, token ") && seen != "tmpfs, token TEXT" {
            attempt.report.aside("the token", "another text");
        }
        if let Some(names) = names_in(command.mnt(), &dir).ok().filter(|names| !names.is_empty()) {
            attempt.report.aside("names in COMMAND's DIR", names.join(", "));
        }
        let in_the_lab = match names_in(lab(&attempt), &dir) {
            Ok(names) if names.is_empty() => "empty".to_owned(),
            Ok(names) => names.join(", "),
            Err(errno) => format!("cannot be read ({errno})"),
        };
        attempt.report.line("DIR in the lab", in_the_lab);
        let changes = attempt.mounts_changed().join(", ");
        let changes = if changes.is_empty() { "unchanged" } else { &changes };
        attempt.report.line("the lab's mounts while COMMAND runs", changes);
        diagnose(&mut attempt, &command);
    }
    attempt.release();
    attempt.finish()
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

/// What COMMAND finds in DIR. An end of line is no difference.
fn written(command: &Seen, dir: &str) -> String {
    match read_in(command.mnt(), &format!("{dir}/token")) {
        Ok(text) => format!("token {}", text.strip_suffix('\n').unwrap_or(&text)),
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
    assert_report!(report(exercise!().hold_parents()).lines(&["DIR", "the lab's mounts", "lab meanwhile"]), @r"
    DIR in COMMAND: tmpfs, token TEXT
    DIR in the lab: empty
    the lab's mounts while COMMAND runs: unchanged
    lab meanwhile: unchanged
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
