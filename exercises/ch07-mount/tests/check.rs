//! `ch07-mount DIR TEXT -- COMMAND`: a mount that no other process sees, in a lab whose mounts are
//! shared.

use harness::look::{Kind, Namespace};
use harness::sandbox::Fixture;
use harness::visit::{self, mount_at, mounts_in, unmount_at};
use harness::{Attempt, Report, Seen, assert_report, exercise, step, token};

/// Starts the program in a lab whose mounts are all shared. DIR is an empty directory there, on the
/// mount at `/run`.
fn attempt(dir: &str, text: &str) -> Attempt {
    let sandbox = exercise!().shared_mounts().fixture(dir, Fixture::Directory);
    let mut attempt = Attempt::start(sandbox.args([dir, text]).witness());
    attempt.report.role(dir, "DIR");
    attempt.report.role(text, "TEXT");
    attempt
}

/// Runs the program once, and looks at both sides while COMMAND is parked.
fn report() -> Report {
    let (dir, text) = (format!("/run/{}", token("dir")), token("otter"));
    let mut attempt = attempt(&dir, &text);
    if let Some(command) = attempt.command() {
        look(&mut attempt, &command, &dir);
    }
    attempt.release();
    attempt.finish()
}

fn look(attempt: &mut Attempt, command: &Seen, dir: &str) {
    let found = |mnt: &Namespace| match visit::read_in(mnt, &format!("{dir}/token")) {
        Ok(text) => format!("token {text}"),
        Err(_) => "no token".to_owned(),
    };
    let mounts = mounts_in(command.mnt()).unwrap_or_default();
    let on_dir = mounts.iter().rfind(|mount| mount.point == dir);
    let kind = on_dir.map_or("no mount", |mount| &mount.kind);
    attempt.report.line("DIR in COMMAND", format_args!("{kind}, {}", found(command.mnt())));
    let lab = attempt.run.lab().get(Kind::Mnt).expect("every kernel has mount namespaces");
    let in_the_lab = found(lab);
    attempt.report.line("DIR in the lab", in_the_lab);
    let changes = attempt.mounts_changed().join(", ");
    let changes = if changes.is_empty() { "unchanged" } else { &changes };
    attempt.report.line("the lab's mounts while COMMAND runs", changes);
    diagnose(attempt, command);
}

/// Reports the propagation of COMMAND's mounts: of the one on `/`, and of the others that it was born
/// with.
fn diagnose(attempt: &mut Attempt, command: &Seen) {
    let mounts = mounts_in(command.mnt()).unwrap_or_default();
    let old = mounts
        .iter()
        .filter(|mount| attempt.run.mounts().iter().any(|before| before.point == mount.point));
    let (root, others): (Vec<_>, Vec<_>) = old.partition(|mount| mount.point == "/");
    let propagation = |mounts: Vec<&harness::look::Mount>| {
        let mut kinds: Vec<_> = mounts.iter().map(|mount| mount.propagation.to_string()).collect();
        kinds.sort();
        kinds.dedup();
        kinds.join(", ")
    };
    attempt.report.aside("COMMAND's mount on /", propagation(root));
    attempt.report.aside("COMMAND's other mounts", propagation(others));
}

/// COMMAND has a mount namespace of its own, and shares the other seven with the lab.
#[step]
fn step1_command_has_a_mount_namespace_of_its_own() {
    assert_report!(report().table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     B    A    A    A    A    A       A
    ");
}

/// COMMAND finds a tmpfs on DIR, and TEXT in its file `token`. Meanwhile DIR is empty in the lab, and the
/// lab's mounts have not changed. Every mount of the lab is shared, so a new namespace is not enough to
/// keep a mount in it.
#[step]
fn step2_command_sees_the_token_and_the_lab_does_not() {
    assert_report!(report().lines(&["DIR", "the lab's mounts"]), @r"
    DIR in COMMAND: tmpfs, token TEXT
    DIR in the lab: no token
    the lab's mounts while COMMAND runs: unchanged
    ");
}

/// While COMMAND is parked, the check itself mounts: what it mounts in the lab, COMMAND sees as well, but
/// what it mounts in COMMAND's namespace, the lab does not see. It tries this on the mount at `/` and on
/// the one at `/run`.
#[step]
fn step3_later_mounts_propagate_in_but_not_out() {
    let (dir, text) = (format!("/run/{}", token("dir")), token("otter"));
    let mut attempt = attempt(&dir, &text);
    if let Some(command) = attempt.command() {
        for place in ["/mnt", "/run/later"] {
            let lab = attempt.run.lab().get(Kind::Mnt).expect("every kernel has mount namespaces");
            let lab = lab.try_clone().expect("one more descriptor");
            let seen =
                propagates(&lab, command.mnt(), place, ["COMMAND sees it", "only the lab sees it"]);
            attempt.report.line(&format!("mounted on {place} in the lab"), seen);
            let seen =
                propagates(command.mnt(), &lab, place, ["the lab sees it", "only COMMAND sees it"]);
            attempt.report.line(&format!("mounted on {place} in COMMAND"), seen);
        }
        diagnose(&mut attempt, &command);
    }
    attempt.release();
    assert_report!(attempt.finish().lines(&["mounted on"]), @r"
    mounted on /mnt in the lab: COMMAND sees it
    mounted on /mnt in COMMAND: only COMMAND sees it
    mounted on /run/later in the lab: COMMAND sees it
    mounted on /run/later in COMMAND: only COMMAND sees it
    ");
}

/// Makes a mount in `here` for a moment, and reports whether it appears in `there` as well.
fn propagates(here: &Namespace, there: &Namespace, place: &str, [yes, no]: [&str; 2]) -> String {
    let count = || mounts_in(there).map(|all| all.iter().filter(|one| one.point == place).count());
    let before = count();
    if let Err(errno) = mount_at(here, place) {
        return format!("refused ({})", errno.desc());
    }
    let after = count();
    _ = unmount_at(here, place);
    match (before, after) {
        (Ok(before), Ok(after)) if after > before => yes.to_owned(),
        (Ok(_), Ok(_)) => no.to_owned(),
        (Err(errno), _) | (_, Err(errno)) => format!("cannot be read ({})", errno.desc()),
    }
}

/// COMMAND finds the token, your program exits with COMMAND's status, and the lab has not changed.
#[step]
fn step4_its_status_is_passed_on_and_the_lab_is_unchanged() {
    assert_report!(report().lines(&["DIR in COMMAND", "exit status", "left behind", "lab afterwards"]), @r"
    DIR in COMMAND: tmpfs, token TEXT
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    ");
}
