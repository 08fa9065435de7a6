//! Cgroups (version 2) for a lab: where they can be made, how the program gets in, how they are
//! removed.
//!
//! ```text
//! a delegated cgroup          that of the check, or one above, in which it may make others
//!  ├ …                        the check, its supervisor, PID 1 of the sandbox
//!  └ namespaces-by-hand-…     limits how many cgroups there are below, and how deep
//!     └ root                  `/` in the lab, owned by the lab's root
//!        ├ lab                where the program starts
//!        └ …                  what the program makes
//! ```
//!
//! The limits have a level of their own because the program may have the check's id outside, with
//! which root of the lab may write to every file that it can reach. It cannot reach that level: the
//! lab's cgroup namespace begins below (cgroup_namespaces(7)), and its mounts show only what is in
//! that.
//!
//! The program starts one level down because a cgroup whose children have limits cannot have
//! processes of its own (cgroups(7), "no internal processes"). PID 1 of the sandbox stays outside,
//! because it must go on when the program freezes, kills or starves what is in its cgroups.
//!
//! A program that needs no cgroups, but has the check's id, is put into `root`: with that id it
//! could do to the check's own cgroup whatever the check can.
//!
//! No existing cgroup is changed. The janitor, a process of its own, waits for the end of the
//! sandbox and removes what was made, even when the check or the supervisor is killed.

use std::fs::{self, DirEntry, File};
use std::io::{ErrorKind, Write as _};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open, openat};
use nix::mount::{MsFlags, mount};
use nix::sys::stat::Mode;
use nix::unistd::{AccessFlags, Uid, UnlinkatFlags, access, setsid, unlinkat};

use super::request::{Plan, Request};
use crate::helper::refusal::{Refusal, Stage, refused};
use crate::helper::{ids, wire};
use crate::look::cgroup;
use crate::sys::{self, Fork};

/// Where a lab has its cgroups mounted. Most machines have them there.
pub const MOUNTED: &str = "/sys/fs/cgroup";

/// The cgroup in which the program starts, as the lab sees it.
pub const STARTED_IN: &str = "/lab";

/// The controllers that a lab's limits need.
const CONTROLLERS: [&str; 2] = ["memory", "pids"];

/// How many cgroups a lab may have below its `/`, and how deep. A program that makes them without
/// end is stopped before the machine notices.
const MOST: usize = 64;
const DEEPEST: usize = 8;

/// How long a janitor keeps trying: ten seconds, and longer on a machine that is known to be slow.
fn janitors_patience() -> Duration {
    2 * crate::env::patience()
}

const MOMENT: Duration = Duration::from_millis(1);

/// A cgroup below which this process may make others and move its children into them.
pub(crate) struct DelegatedCgroup {
    folder: PathBuf,
}

impl DelegatedCgroup {
    /// Looks for one from this process's cgroup upwards. One whose children may have limits is
    /// preferred. As a rule that is a level above, because this process is in its own.
    ///
    /// # Errors
    ///
    /// `ENODEV` if no cgroup v2 is mounted, `EACCES` or `EROFS` if this process's cgroup is not
    /// writable.
    pub(crate) fn find() -> Result<DelegatedCgroup, Refusal> {
        let stage = Stage::Cgroups;
        let own = cgroup::own_folder()
            .ok_or(Errno::ENODEV)
            .map_err(refused(stage, format!("open(\"{MOUNTED}/cgroup.procs\")")))?;
        writable(&own)?;
        // This ends at the mount point, above which there is no `cgroup.procs`.
        let all = own.ancestors().take_while(|folder| writable(folder).is_ok());
        let best = all.into_iter().find(|folder| limits(folder).is_ok()).unwrap_or(&own);
        Ok(DelegatedCgroup { folder: best.to_owned() })
    }

    /// Whether cgroups below can have limits.
    ///
    /// # Errors
    ///
    /// `ENODEV` if a controller is not enabled for children.
    pub(crate) fn limits(&self) -> Result<(), Refusal> {
        limits(&self.folder)
    }

    /// Cgroups with unique names in it.
    pub(crate) fn plan(&self) -> Plan {
        let folder = self.folder.join(crate::random::unique("namespaces-by-hand"));
        Plan { folder: folder.to_string_lossy().into_owned(), limits: self.limits().is_ok() }
    }
}

/// Whether this process may make a cgroup there and move a process from its own cgroup into it. The
/// kernel requires write permission for `cgroup.procs` of their common ancestor (cgroups(7),
/// "Delegation").
fn writable(folder: &Path) -> Result<(), Refusal> {
    let stage = Stage::Cgroups;
    access(folder, AccessFlags::W_OK)
        .map_err(refused(stage, format!("access({folder:?}, W_OK)")))?;
    // It is opened because access(2) does not ask a security module such as Landlock.
    let file = folder.join("cgroup.procs");
    let open = File::options().write(true).open(&file);
    open.map(drop).map_err(refused(stage, format!("open({file:?}, O_WRONLY)")))
}

fn limits(folder: &Path) -> Result<(), Refusal> {
    let file = folder.join("cgroup.subtree_control");
    let enabled = fs::read_to_string(&file)
        .map_err(refused(Stage::CgroupLimits, format!("open({file:?})")))?;
    let enabled: Vec<&str> = enabled.split_ascii_whitespace().collect();
    match CONTROLLERS.into_iter().find(|controller| !enabled.contains(controller)) {
        None => Ok(()),
        Some(lacking) => {
            let call = format!("no `{lacking}` in {file:?}");
            Err(refused(Stage::CgroupLimits, call)(Errno::ENODEV))
        }
    }
}

/// The cgroups of a lab, as its supervisor and its PID 1 hold them.
pub(crate) struct LabCgroups {
    /// `cgroup.procs` of the lab's uppermost one, opened here: since Linux 5.16 (and the stable
    /// kernels of its time) moving a process takes the permissions of the opener
    /// (`cgroup_procs_write_permission` in `kernel/cgroup/cgroup.c`), and the lab lacks them.
    pub(crate) entrance: OwnedFd,
    /// While any process has it open, the cgroups stay.
    _lease: OwnedFd,
}

impl LabCgroups {
    /// In the supervisor: starts a janitor, and then makes the cgroup with the limits and the lab's
    /// uppermost one. `gone` is closed when both have been removed.
    ///
    /// # Errors
    ///
    /// The refused call when one could not be made or configured. The janitor removes the rest.
    pub(crate) fn create(
        plan: &Plan,
        request: &Request,
        gone: OwnedFd,
    ) -> Result<LabCgroups, Refusal> {
        let stage = Stage::Cgroups;
        let limiting = Path::new(&plan.folder);
        let root = plan.root();
        let _lease = fork_janitor(limiting, gone)
            .map_err(refused(stage, "clone(the janitor of the cgroups)"))?;
        let make = |folder: &Path| {
            fs::create_dir(folder).map_err(refused(stage, format!("mkdir({folder:?})")))
        };
        let write = |file: &str, text: &str| {
            let path = limiting.join(file);
            fs::write(&path, text).map_err(refused(stage, format!("write({path:?}, {text:?})")))
        };
        make(limiting)?;
        // The lab's uppermost one counts as well. A program that did not ask for cgroups makes
        // none.
        let most = if request.cgroups { MOST + 1 } else { 1 };
        write("cgroup.max.descendants", &most.to_string())?;
        write("cgroup.max.depth", &(DEEPEST + 1).to_string())?;
        if plan.limits {
            // A cgroup can enable only what its parent has enabled (cgroups(7)).
            write("cgroup.subtree_control", &enabling_controllers())?;
        }
        make(&root)?;
        let path = |file: &str| root.join(file);
        let entrance = File::options().write(true).open(path("cgroup.procs"));
        let entrance =
            entrance.map_err(refused(stage, format!("open({:?})", path("cgroup.procs"))))?;
        let many = ids::many().filter(|_| request.many_ids);
        let (uid, gid) = many.unwrap_or_else(|| (ids::host_uid(), ids::host_gid()));
        if uid != Uid::effective().as_raw() {
            // The files of a delegation (cgroups(7); /sys/kernel/cgroup/delegate).
            for file in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
                chown(path(file), Some(uid), Some(gid))
                    .map_err(refused(stage, format!("chown({:?})", path(file))))?;
            }
        }
        Ok(LabCgroups { entrance: entrance.into(), _lease })
    }
}

/// Starts a process that removes the cgroups when the last copy of the lease is closed. It is
/// started before they are made, so that none stays behind whichever process is killed, and when.
fn fork_janitor(folder: &Path, gone: OwnedFd) -> nix::Result<OwnedFd> {
    let (lease, line) = wire::pair()?;
    // SAFETY: the supervisor has one thread.
    match unsafe { sys::fork_into(0) }? {
        Fork::Parent { .. } => {
            drop(line);
            // Until it has left this process group, a signal to the group would kill it, too.
            wire::receive(lease.as_fd())?.ok_or(Errno::ECHILD)?;
            Ok(lease)
        }
        Fork::Child => {
            // Ctrl-C at the terminal ends the check, and this process has to outlive it.
            _ = setsid();
            _ = nix::sys::prctl::set_name(c"janitor");
            // The reader of the check's output waits for the end of the check, and not of this
            // process.
            if let Ok(null) = File::options().read(true).write(true).open("/dev/null") {
                _ = sys::redirect_stdio(&null, &null, &null);
            }
            _ = sys::close_from_except(3, &[line.as_raw_fd(), gone.as_raw_fd()]);
            _ = wire::send(line.as_fd(), b"!", &[]);
            while let Ok(Some(_)) = wire::receive(line.as_fd()) {}
            remove(folder, janitors_patience());
            exit(0)
        }
    }
}

/// The children of a cgroup: its folders.
fn children(folder: &Path) -> impl Iterator<Item = DirEntry> + use<> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
}

/// The cgroups below one, children after their parents; no more than a lab may have, because a
/// program may make others meanwhile.
pub(crate) fn below(folder: &Path) -> Vec<PathBuf> {
    let paths = |folder: &Path| children(folder).map(|child| child.path());
    let mut found: Vec<_> = paths(folder).take(MOST).collect();
    let mut looked = 0;
    while let Some(next) = found.get(looked) {
        let more = paths(next).take(MOST - found.len());
        found.extend(more);
        looked += 1;
    }
    found
}

/// Removes a cgroup and those below, as far as that is possible within `patience`.
fn remove(folder: &Path, patience: Duration) {
    let deadline = Instant::now() + patience;
    loop {
        // The processes in there die with PID 1; this is quicker (Linux 5.14).
        let killer = File::options().write(true).open(folder.join("cgroup.kill"));
        _ = killer.and_then(|mut killer| killer.write_all(b"1"));
        _ = clear(folder, deadline);
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy && Instant::now() < deadline => {
                sleep(MOMENT);
            }
            // Removed, by this process or another one.
            _ => return,
        }
    }
}

/// Removes what is below, from the bottom up. It uses a descriptor of one cgroup at a time and no
/// path, because a tree may be deeper than a path is long, and than a process may have descriptors.
fn clear(folder: &Path, deadline: Instant) -> nix::Result<()> {
    let flags = OFlag::O_DIRECTORY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    let mut here = open(folder, flags, Mode::empty())?;
    let mut depth = 0_u64;
    // Whether this one could not be removed although there is none below it.
    let mut occupied = false;
    while Instant::now() < deadline {
        let list = format!("/proc/self/fd/{}", here.as_raw_fd());
        match children(Path::new(&list)).next() {
            Some(child) => {
                let name = child.file_name();
                match unlinkat(&here, &*name, UnlinkatFlags::RemoveDir) {
                    Ok(()) | Err(Errno::ENOENT) => occupied = false,
                    Err(_) => {
                        here = openat(&here, &*name, flags, Mode::empty())?;
                        depth += 1;
                        occupied = true;
                    }
                }
            }
            None if depth == 0 => break,
            None => {
                if occupied {
                    // A killed process may still be exiting.
                    sleep(MOMENT);
                }
                here = openat(&here, "..", flags, Mode::empty())?;
                depth -= 1;
            }
        }
    }
    Ok(())
}

/// In the program's process, before it makes its cgroup namespace: enters the cgroup that will be
/// `/`.
pub(crate) fn enter(entrance: &OwnedFd) -> Result<(), Refusal> {
    nix::unistd::write(entrance, b"0")
        .map(drop)
        .map_err(refused(Stage::Cgroups, "write(\"cgroup.procs\", \"0\")"))
}

/// In the program's process, in its own cgroup and mount namespaces.
pub(crate) fn show() -> Result<(), Refusal> {
    mount_on(MOUNTED)
        .map_err(refused(Stage::CgroupMount, format!("mount(\"cgroup2\", \"{MOUNTED}\")")))
}

pub(crate) fn mount_on(folder: &str) -> nix::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("cgroup2"), folder, Some("cgroup2"), flags, None::<&str>)
}

/// In the program's process, as root of the lab: goes one level down, and enables limits for the
/// children of `/`.
pub(crate) fn configure(plan: &Plan) -> Result<(), Refusal> {
    let stage = Stage::Cgroups;
    let write = |file: &str, text: &str| {
        let path = format!("{MOUNTED}{file}");
        fs::write(&path, text).map_err(refused(stage, format!("write({path:?}, {text:?})")))
    };
    let lab = format!("{MOUNTED}{STARTED_IN}");
    fs::create_dir(&lab).map_err(refused(stage, format!("mkdir({lab:?})")))?;
    write(&format!("{STARTED_IN}/cgroup.procs"), "0")?;
    if plan.limits {
        write("/cgroup.subtree_control", &enabling_controllers())?;
    }
    Ok(())
}

/// The text for `cgroup.subtree_control` that allows children to have limits.
fn enabling_controllers() -> String {
    CONTROLLERS.map(|name| format!("+{name}")).join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Folders behave as cgroups do, except for the errno of one that is not empty.
    fn tree() -> PathBuf {
        let tree = std::env::temp_dir().join(crate::random::token("cgroups-of-a-test"));
        fs::create_dir(&tree).unwrap();
        tree
    }

    #[test]
    fn a_tree_that_is_deeper_than_a_path_is_long_is_removed() {
        let tree = tree();
        let mut here = open(&tree, OFlag::O_DIRECTORY, Mode::empty()).unwrap();
        // The path is longer than PATH_MAX, and there are more levels than descriptors by default.
        for level in 0..1_100 {
            let names: &[_] = if level % 100 == 0 { &["lower", "other"] } else { &["lower"] };
            for name in names {
                nix::sys::stat::mkdirat(&here, *name, Mode::S_IRWXU).unwrap();
            }
            here = openat(&here, "lower", OFlag::O_DIRECTORY, Mode::empty()).unwrap();
        }
        assert_eq!(below(&tree).len(), MOST);
        remove(&tree, janitors_patience());
        assert!(!tree.exists());
    }

    #[test]
    fn a_cgroup_that_stays_is_not_waited_for_without_end() {
        let tree = tree();
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/b/process"), "").unwrap();
        let begin = Instant::now();
        remove(&tree, 20 * MOMENT);
        assert!(begin.elapsed() < janitors_patience() / 2);
        assert_eq!(below(&tree), [tree.join("a"), tree.join("a/b")]);
        fs::remove_dir_all(tree).unwrap();
    }
}
