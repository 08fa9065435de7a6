//! `ch07-mount DIR TEXT -- COMMAND`: a mount that nobody else sees, in a world where mounts are
//! shared.

use harness::look::{Kind, Namespace};
use harness::sandbox::Fixture;
use harness::visit::{self, mount_at, mounts_in, unmount_at};
use harness::{Attempt, Report, Seen, assert_report, exercise, token};

/// Starts the program in a lab whose mounts are all shared. DIR is an empty folder there, on the
/// mount at `/run`.
fn attempt(dir: &str, text: &str) -> Attempt {
    let exercise = exercise!().shared_mounts().fixture(dir, Fixture::Directory);
    let mut attempt = exercise.args([dir, text]).witness().start();
    attempt.report.role(dir, "DIR");
    attempt.report.role(text, "TEXT");
    attempt
}

/// Runs the program once and looks at both sides while COMMAND is parked.
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
    attempt.report.line("mounts of the lab meanwhile", changes);
    diagnose(attempt, command);
}

/// How COMMAND's mounts spread: the one on `/`, and all that were there before.
fn diagnose(attempt: &mut Attempt, command: &Seen) {
    let mounts = mounts_in(command.mnt()).unwrap_or_default();
    let old = mounts
        .iter()
        .filter(|mount| attempt.run.mounts().iter().any(|before| before.point == mount.point));
    let (root, others): (Vec<_>, Vec<_>) = old.partition(|mount| mount.point == "/");
    let spread = |mounts: Vec<&harness::look::Mount>| {
        let mut kinds: Vec<_> = mounts.iter().map(|mount| mount.propagation.to_string()).collect();
        kinds.sort();
        kinds.dedup();
        kinds.join(", ")
    };
    attempt.report.aside("COMMAND's mount on /", spread(root));
    attempt.report.aside("COMMAND's other mounts", spread(others));
}

/// COMMAND has a mount namespace of its own, and shares the other seven with the lab.
#[test]
fn step1_command_has_a_mount_namespace_of_its_own() {
    assert_report!(report().table(&["COMMAND"]), @r"
             user  mnt  pid  net  uts  ipc  cgroup  time
    lab      A     A    A    A    A    A    A       A
    COMMAND  A     B    A    A    A    A    A       A
    ");
}

/// COMMAND finds a tmpfs on DIR, and TEXT in its file `token`. While it is there, the lab's DIR is
/// empty and the lab has the mounts it had. In the lab every mount is shared: a new namespace alone
/// does not keep a mount to itself.
#[test]
fn step2_it_sees_the_token_and_the_lab_does_not() {
    assert_report!(report().lines(&["DIR", "mounts of the lab"]), @r"
    DIR in COMMAND: tmpfs, token TEXT
    DIR in the lab: no token
    mounts of the lab meanwhile: unchanged
    ");
}

/// Now the check mounts, while COMMAND is parked: what it mounts in the lab is seen by COMMAND too.
/// What it mounts where COMMAND is, the lab does not see. Once it tries on the mount at `/`, once on
/// the one at `/run`.
#[test]
fn step3_later_mounts_come_in_and_none_goes_out() {
    let (dir, text) = (format!("/run/{}", token("dir")), token("otter"));
    let mut attempt = attempt(&dir, &text);
    if let Some(command) = attempt.command() {
        for place in ["/mnt", "/run/later"] {
            let lab = attempt.run.lab().get(Kind::Mnt).expect("every kernel has mount namespaces");
            let lab = lab.try_clone().expect("one more descriptor");
            let seen = spreads(&lab, command.mnt(), place, ["COMMAND sees it", "the lab alone"]);
            attempt.report.line(&format!("mounted on {place} in the lab"), seen);
            let seen = spreads(command.mnt(), &lab, place, ["the lab sees it", "COMMAND alone"]);
            attempt.report.line(&format!("mounted on {place} in COMMAND"), seen);
        }
        diagnose(&mut attempt, &command);
    }
    attempt.release();
    assert_report!(attempt.finish().lines(&["mounted on"]), @r"
    mounted on /mnt in the lab: COMMAND sees it
    mounted on /mnt in COMMAND: COMMAND alone
    mounted on /run/later in the lab: COMMAND sees it
    mounted on /run/later in COMMAND: COMMAND alone
    ");
}

/// Mounts something in `here`, for a moment, and looks whether it is there in `there` as well.
fn spreads(here: &Namespace, there: &Namespace, place: &str, [yes, no]: [&str; 2]) -> String {
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

/// COMMAND still finds the token, your program exits with its status, and the lab is as before.
#[test]
fn step4_its_status_is_passed_on_and_the_lab_is_as_before() {
    assert_report!(report().lines(&["DIR in COMMAND", "exit status", "left behind", "lab afterwards"]), @r"
    DIR in COMMAND: tmpfs, token TEXT
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    ");
}
