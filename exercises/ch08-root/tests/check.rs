//! `ch08-root ROOT SHARE -- COMMAND`: another root directory, and nothing left of the old one.

use std::fs;
use std::rc::Rc;

use harness::look::{Kind, Mount, Namespaces, Proc, Way};
use harness::sandbox::{Fixture, Sandbox};
use harness::visit::{mounts_in, names_in, root_covers_another};
use harness::{Attempt, Report, Seen, assert_report, exercise, letters, step};

/// Runs the program once and looks at COMMAND while it is parked. The lab's mounts are all shared, and
/// the program starts in `/tmp`, because a user's shell can be in any directory.
fn report(program: Sandbox) -> Report {
    let [root, share] = [letters(8..20), letters(8..20)].map(|name| format!("/tmp/{name}"));
    let mut sandbox =
        program.shared_mounts().working_directory("/tmp").fixture(&share, Fixture::Directory);
    for path in ["", "/proc", "/share"] {
        sandbox = sandbox.fixture(format!("{root}{path}"), Fixture::Directory);
    }
    let sandbox = sandbox.fixture(format!("{root}{{witness}}"), Fixture::Witness);
    let mut attempt = Attempt::start(sandbox.args([&root, &share]).witness());
    attempt.report.role(&root, "ROOT");
    attempt.report.role(&share, "SHARE");
    if let Some(command) = attempt.command() {
        attempt.history_of(&command);
        let tmp = attempt.run.mounts().iter().find(|mount| mount.point == "/tmp");
        let tmp = tmp.expect("every sandbox has one").device.clone();
        let witness = attempt.run.witness().to_owned();
        let paths = Rc::new(Paths { root: root.clone(), share: share.clone(), tmp, witness });
        for (key, line) in LINES {
            let paths = paths.clone();
            attempt.look(key, &command, move |command| {
                let view = View::of(command, &paths).and_then(|view| line(&view));
                view.unwrap_or_else(|errno| format!("cannot be read ({errno})"))
            });
        }
    }
    attempt.release();
    attempt.run.await_end();
    attempt.report.line("entries afterwards", entries(&attempt, &root, &share));
    attempt.finish()
}

/// The entries, in the lab, of the directories that the program was given and of `/tmp` around them.
fn entries(attempt: &Attempt, root: &str, share: &str) -> String {
    let lab = attempt.run.lab().get(Kind::Mnt).expect("every kernel has mount namespaces");
    let (proc, shared) = (format!("{root}/proc"), format!("{root}/share"));
    let name = |path: &str| path.rsplit('/').next().unwrap_or_default().to_owned();
    let witness = attempt.run.witness().split('/').nth(1).unwrap_or_default().to_owned();
    let folders = [
        ("/tmp", vec![name(root), name(share)]),
        (root, vec![witness, "proc".to_owned(), "share".to_owned()]),
        (share, vec![]),
        (&proc, vec![]),
        (&shared, vec![]),
    ];
    let changed = folders.into_iter().filter_map(|(folder, mut wanted)| {
        wanted.sort();
        match names_in(lab, folder) {
            Ok(names) if names == wanted => None,
            Ok(names) => Some(format!("{folder} has {}", names.join(" "))),
            Err(errno) => Some(format!("{folder} cannot be read ({errno})")),
        }
    });
    let changed: Vec<_> = changed.collect();
    if changed.is_empty() { "as before".to_owned() } else { changed.join(", ") }
}

/// What the program was given.
struct Paths {
    root: String,
    share: String,
    /// The device of the lab's `/tmp`, where both are.
    tmp: String,
    witness: String,
}

impl Paths {
    /// Whether a mount shows this directory of the lab's `/tmp`.
    fn is(&self, mount: &Mount, path: &str) -> bool {
        mount.device == self.tmp && mount.root == path.trim_start_matches("/tmp")
    }
}

/// COMMAND, and the mounts below its root directory.
struct View<'a> {
    command: &'a Seen,
    paths: &'a Paths,
    mounts: Vec<Mount>,
}

impl View<'_> {
    fn of<'a>(command: &'a Seen, paths: &'a Paths) -> nix::Result<View<'a>> {
        Ok(View { command, paths, mounts: command.process.mounts()? })
    }

    /// The uppermost mount at a path, if it is the right one.
    fn at(&self, point: &str, is_right: impl Fn(&Mount) -> bool) -> Option<&Mount> {
        self.mounts.iter().rfind(|mount| mount.point == point).filter(|mount| is_right(mount))
    }

    /// What is mounted at a path where the right mount is not.
    fn instead(&self, point: &str) -> String {
        match self.at(point, |_| true) {
            None => "nothing".to_owned(),
            Some(mount) => format!("another mount, {}", mount.kind),
        }
    }

    fn root(&self) -> Option<&Mount> {
        self.at("/", |mount| self.paths.is(mount, &self.paths.root))
    }

    fn proc(&self) -> Option<&Mount> {
        self.at("/proc", |mount| mount.kind == "proc" && mount.root == "/")
    }

    fn share(&self) -> Option<&Mount> {
        self.at("/share", |mount| self.paths.is(mount, &self.paths.share))
    }

    /// Whether this is one of the three mounts that COMMAND should have.
    fn is_inside(&self, id: u64) -> bool {
        [self.root(), self.proc(), self.share()].into_iter().flatten().any(|mount| mount.id == id)
    }

    /// Whether the root directory is a plain directory, which has no line in a list of mounts.
    fn has_no_root_mount(&self) -> bool {
        !self.mounts.iter().any(|mount| mount.point == "/")
    }

    fn below_or_outside(&self, id: u64) -> String {
        let place = match () {
            () if self.is_inside(id) => "below it",
            () if self.has_no_root_mount() => "on another mount",
            () => "outside",
        };
        place.to_owned()
    }

    /// Where a descriptor leads to; `None` for a place inside.
    fn outside(&self, way: Way) -> Option<String> {
        let own = |kind| self.command.namespaces.get(kind);
        match way {
            Way::Directory(id) => (!self.is_inside(id)).then(|| "a directory".to_owned()),
            Way::Namespace(kind, namespace) => {
                (own(kind) != Some(&namespace)).then(|| format!("a namespace, {kind}"))
            }
            Way::Process(process) => {
                let there = Namespaces::of(&process?).ok();
                let there = there.as_ref().and_then(|there| there.get(Kind::Mnt));
                (there != own(Kind::Mnt)).then(|| "a process".to_owned())
            }
        }
    }
}

type Line = fn(&View) -> nix::Result<String>;

const LINES: [(&str, Line); 11] = [
    ("root directory", |view| {
        let id = view.command.process.root_directory()?;
        let is_root = view.root().is_some_and(|mount| mount.id == id);
        Ok(match () {
            () if is_root => view.paths.root.clone(),
            () if view.has_no_root_mount() => "a directory that is not a mount".to_owned(),
            () => "another".to_owned(),
        })
    }),
    ("working directory", |view| {
        Ok(view.below_or_outside(view.command.process.working_directory()?))
    }),
    ("executed file", |view| Ok(view.below_or_outside(view.command.process.executable()?))),
    ("on /proc", |view| {
        Ok(match (view.proc(), view.command.process.proc()) {
            (None, _) => view.instead("/proc"),
            (Some(_), Proc::Own) => "proc".to_owned(),
            (Some(_), other) => format!("a proc file system that {other}"),
        })
    }),
    ("on /share", |view| {
        let share = &view.paths.share;
        Ok(match view.share() {
            Some(mount) if mount.is_read_only() => format!("{share}, read-only"),
            Some(_) => format!("{share}, writable"),
            None => view.instead("/share"),
        })
    }),
    ("other mounts", |view| {
        let others = |mounts: &[Mount]| mounts.iter().any(|mount| !view.is_inside(mount.id));
        let mnt = view.command.mnt();
        // What chroot(2) hides is in the namespace, but not in COMMAND's own list.
        let old = if others(&view.mounts) {
            "attached"
        } else if others(&mounts_in(mnt)?) {
            "attached, above the root directory"
        } else if root_covers_another(mnt)? {
            "attached, under the root directory"
        } else {
            "none"
        };
        Ok(old.to_owned())
    }),
    ("descriptors that lead outside", |view| {
        let ways = view.command.process.ways()?.into_iter();
        let mut outside: Vec<_> = ways.filter_map(|way| view.outside(way)).collect();
        outside.sort();
        Ok(if outside.is_empty() { "none".to_owned() } else { outside.join(", ") })
    }),
    ("standard descriptors", |view| {
        let folder = format!("/proc/{}/fd", view.command.process.pid());
        let is_closed = |number: &&str| fs::symlink_metadata(format!("{folder}/{number}")).is_err();
        let closed: Vec<_> = ["0", "1", "2"].into_iter().filter(is_closed).collect();
        Ok(match closed.as_slice() {
            [] => "open".to_owned(),
            closed => format!("closed: {}", closed.join(", ")),
        })
    }),
    ("mounts that can be written to", |view| {
        let all = mounts_in(view.command.mnt())?;
        let writable = all.iter().filter(|mount| !mount.is_read_only());
        let points: Vec<_> = writable.map(|mount| mount.point.as_str()).collect();
        Ok(if points.is_empty() { "none".to_owned() } else { points.join(", ") })
    }),
    ("tmpfs mounts", |view| {
        let tmpfs = view.mounts.iter().filter(|mount| mount.root == "/" && mount.kind == "tmpfs");
        let points: Vec<_> = tmpfs.map(|mount| mount.point.as_str()).collect();
        Ok(points.join(", "))
    }),
    // The namespace's root, not COMMAND's root directory, which chroot(2) changes as well.
    ("names in the namespace's root", |view| {
        let all = mounts_in(view.command.mnt())?;
        let root = all.iter().rfind(|mount| mount.point == "/");
        if !root.is_some_and(|mount| view.paths.is(mount, &view.paths.root)) {
            return Ok("those of the lab".to_owned());
        }
        let mut names = names_in(view.command.mnt(), "/")?;
        // The folder of the witness is another one in each run.
        names.retain(|name| !view.paths.witness.starts_with(&format!("/{name}/")));
        Ok(names.join(", "))
    }),
];

/// ROOT is COMMAND's root directory, and the root of its mount namespace. COMMAND's working directory is
/// below it, although your program was started in `/tmp` of the old root, and so is the file that was
/// executed. ROOT has the same entries as before.
#[step]
fn step1_command_has_another_root_directory() {
    let keys = ["root directory", "working directory", "executed", "names in"];
    assert_report!(report(exercise!()).lines(&keys), @r"
    root directory: ROOT
    working directory: below it
    executed file: below it
    names in the namespace's root: proc, share
    ");
}

/// A proc file system is mounted on `/proc`, and shows COMMAND's own PID namespace. SHARE is mounted on
/// `/share`, where it can be read but not written.
#[step]
fn step2_proc_is_mounted_and_the_share_is_read_only() {
    assert_report!(report(exercise!()).lines(&["root directory", "on /"]), @r"
    root directory: ROOT
    on /proc: proc
    on /share: SHARE, read-only
    ");
}

/// COMMAND's mount namespace contains these three mounts and no others, and COMMAND has no descriptor
/// that leads outside: none of a directory, a namespace or a process there.
#[step]
fn step3_nothing_of_the_old_root_is_left() {
    assert_report!(report(exercise!()).lines(&["root directory", "other mounts", "descriptors"]), @r"
    root directory: ROOT
    other mounts: none
    descriptors that lead outside: none
    ");
}

/// Your program exits with COMMAND's status, and leaves no process behind. The lab, whose mounts are all
/// shared, has not changed, nor have the entries of ROOT, of SHARE and of the directory around them.
#[step]
fn step4_its_status_is_passed_on_and_the_lab_is_unchanged() {
    let keys = ["root directory", "entries", "exit status", "left behind", "lab"];
    assert_report!(report(exercise!().record()).lines(&keys), @r"
    root directory: ROOT
    entries afterwards: as before
    exit status: COMMAND's
    left behind: nothing
    lab afterwards: unchanged
    lab meanwhile: unchanged
    ");
}

/// A shell has opened the root, a directory below it and a namespace before it starts the program.
const INHERITED: &str = r#"exec 3< / 5< /tmp 8< /proc/self/ns/mnt; exec "$0" "$@""#;

/// Your program is started with three descriptors: of the old root, of its `/tmp` and of the lab's mount
/// namespace. COMMAND has none of them, and no other one that leads outside. It has your program's standard
/// input, output and error.
#[step]
fn further5_inherited_descriptors_are_not_passed_on() {
    let program = exercise!().script(INHERITED);
    let keys = ["root directory", "descriptors", "standard"];
    assert_report!(report(program).lines(&keys), @r"
    root directory: ROOT
    descriptors that lead outside: none
    standard descriptors: open
    ");
}

/// ROOT and SHARE have each a file system mounted in them.
const BELOW: &str = r#"mkdir "$2/data" "$3/more" &&
mount -t tmpfs data "$2/data" && mount -t tmpfs more "$3/more" && exec "$0" "$@""#;

/// With `--read-only`, COMMAND finds what is mounted in ROOT and in SHARE, and no mount of its mount
/// namespace can be written to.
#[step]
fn further6_the_root_is_read_only_all_the_way_down() {
    let program = exercise!().arg("--read-only").script(BELOW);
    assert_report!(report(program).lines(&["root directory", "tmpfs", "mounts that", "exit"]), @r"
    root directory: ROOT
    mounts that can be written to: none
    tmpfs mounts: /data, /share/more
    exit status: COMMAND's
    ");
}
