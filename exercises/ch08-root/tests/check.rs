//! `ch08-root ROOT SHARE -- COMMAND`: another root directory, and nothing left of the old one.

use harness::look::Mount;
use harness::sandbox::Fixture;
use harness::visit;
use harness::{Attempt, Report, Seen, assert_report, exercise, step, token};

/// Runs the program once and looks at COMMAND while it is parked. The lab's mounts are all shared, and
/// the program starts in `/tmp`, because a user's shell can be in any directory.
fn report() -> Report {
    let (root, share) = (format!("/tmp/{}", token("tree")), format!("/tmp/{}", token("share")));
    let mut sandbox =
        exercise!().shared_mounts().working_directory("/tmp").fixture(&share, Fixture::Directory);
    for path in ["", "/proc", "/share"] {
        sandbox = sandbox.fixture(format!("{root}{path}"), Fixture::Directory);
    }
    let sandbox = sandbox.fixture(format!("{root}{{witness}}"), Fixture::Witness);
    let mut attempt = Attempt::start(sandbox.args([&root, &share]).witness());
    attempt.report.role(&root, "ROOT");
    attempt.report.role(&share, "SHARE");
    if let Some(command) = attempt.command() {
        match look(&mut attempt, &command, &root, &share) {
            Ok(()) => {}
            Err(errno) => {
                attempt.report.line("COMMAND", format_args!("cannot be examined ({errno})"))
            }
        }
    }
    attempt.release();
    attempt.finish()
}

fn look(attempt: &mut Attempt, command: &Seen, root: &str, share: &str) -> nix::Result<()> {
    let process = &command.process;
    // `mounts` are those below COMMAND's root directory, `wanted` the three of them that it should have,
    // and `all` those of its whole mount namespace.
    let mounts = process.mounts()?;
    let all = visit::mounts_in(command.mnt())?;
    let find = |point: &str, what: &dyn Fn(&Mount) -> bool| {
        mounts.iter().rfind(|mount| mount.point == point && what(mount))
    };
    // ROOT and SHARE are directories of the tmpfs at /tmp.
    let is = |path: &str, mount: &Mount| mount.root == path.trim_start_matches("/tmp");
    let new_root = find("/", &|mount| is(root, mount));
    let proc = find("/proc", &|mount| mount.kind == "proc");
    let shared = find("/share", &|mount| is(share, mount));
    let wanted: Vec<&Mount> = [new_root, proc, shared].into_iter().flatten().collect();
    let inside = |id: u64| wanted.iter().any(|mount| mount.id == id);

    let mut line = |key: &str, value: &str| attempt.report.line(key, value);
    line("root directory", if new_root.is_some() { root } else { "another" });
    let here = inside(process.working_directory()?);
    line("working directory", if here { "below it" } else { "outside" });
    line("on /proc", if proc.is_some() { "proc" } else { "nothing" });
    let read_only = |mount: &Mount| mount.options.split(',').any(|option| option == "ro");
    line(
        "on /share",
        &match shared {
            Some(mount) if read_only(mount) => format!("{share}, read-only"),
            Some(_) => format!("{share}, writable"),
            None => "nothing".to_owned(),
        },
    );
    // What chroot(2) hides is in the namespace, but not in COMMAND's own list.
    let others = |mounts: &[Mount]| mounts.iter().any(|mount| !inside(mount.id));
    let old = match (others(&mounts), others(&all)) {
        (true, _) => "attached",
        (false, true) => "attached, above the root directory",
        (false, false) => "none",
    };
    line("mounts of the old root", old);
    let held = process.open_directories()?.into_iter().any(|id| !inside(id));
    line("open directories outside", if held { "some" } else { "none" });
    // The namespace's root, not COMMAND's root directory, which chroot(2) changes as well.
    let root_of_all = all.iter().any(|mount| mount.point == "/" && is(root, mount));
    let names = match root_of_all {
        true => {
            let mut names = visit::names_in(command.mnt(), "/")?;
            // The folder of the witness is another one in each run.
            names.retain(|name| !attempt.run.witness().starts_with(&format!("/{name}/")));
            names.join(", ")
        }
        false => "those of the lab".to_owned(),
    };
    line("names in the namespace's root", &names);
    Ok(())
}

/// ROOT is COMMAND's root directory, and the root of its mount namespace. COMMAND's working directory is
/// below it, although your program was started in `/tmp` of the old root. ROOT has the same entries as
/// before.
#[step]
fn step1_command_has_another_root_directory() {
    assert_report!(report().lines(&["root directory", "working directory", "names in"]), @r"
    root directory: ROOT
    working directory: below it
    names in the namespace's root: proc, share
    ");
}

/// A proc file system is mounted on `/proc`, and SHARE on `/share`, where it can be read but not written.
#[step]
fn step2_proc_is_mounted_and_the_share_is_read_only() {
    assert_report!(report().lines(&["root directory", "on /"]), @r"
    root directory: ROOT
    on /proc: proc
    on /share: SHARE, read-only
    ");
}

/// COMMAND's mount namespace contains these three mounts and no others, and COMMAND has no descriptor of
/// a directory outside.
#[step]
fn step3_nothing_of_the_old_root_is_left() {
    assert_report!(report().lines(&["root directory", "mounts of", "open directories"]), @r"
    root directory: ROOT
    mounts of the old root: none
    open directories outside: none
    ");
}

/// Your program exits with COMMAND's status, and the lab, whose mounts are all shared, has not changed.
#[step]
fn step4_its_status_is_passed_on_and_the_lab_is_unchanged() {
    assert_report!(report().lines(&["root directory", "exit status", "left behind", "lab"]), @r"
    root directory: ROOT
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    ");
}
