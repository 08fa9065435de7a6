//! Cgroups (version 2) for a lab: where they can be made, how the program gets in, how they go.
//!
//! ```text
//! the ground                  a cgroup of ours, or one above, in which we may make others
//!  ├ …                        this check, its supervisor, PID 1 of the sandbox
//!  └ namespaces-by-hand-…     the lab's: `/` in there, and owned by the lab's root
//!     ├ lab                   where the program starts
//!     └ …                     what the program makes
//! ```
//!
//! The program starts one level down, because a cgroup whose children have limits has no processes
//! of its own (cgroups(7), "no internal processes"). PID 1 of the sandbox stays outside: it must go
//! on when the program freezes, kills or starves what is in its cgroups.
//!
//! Nothing that was there before is changed. A janitor, a process of its own, waits for the end of
//! the sandbox and removes what was made, also when the check or the supervisor is killed.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::time::Duration;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::unistd::{AccessFlags, Uid, access, setsid};

use super::ids;
use super::request::Request;
use super::setup::{SetupError, Stage, at, io_at};
use super::wire;
use crate::look::cgroup;
use crate::sys::{self, Fork};

/// Where a lab has its cgroups mounted, as most machines have.
pub const MOUNTED: &str = "/sys/fs/cgroup";

/// The cgroup in which the program starts, as the lab sees it.
pub const STARTED_IN: &str = "/lab";

/// The controllers that a lab's limits need.
const CONTROLLERS: [&str; 2] = ["memory", "pids"];

/// A cgroup below which we may make others.
pub(crate) struct Ground {
    folder: PathBuf,
}

impl Ground {
    /// Looks for it from our own cgroup upwards. One whose children may have limits is preferred:
    /// our own has us in it, so as a rule it is the one above.
    ///
    /// # Errors
    ///
    /// `ENODEV` where no cgroup v2 is mounted, `EACCES` or `EROFS` where ours is not ours to write.
    pub(crate) fn find() -> Result<Ground, SetupError> {
        let stage = Stage::Cgroups;
        let own = cgroup::own_folder()
            .ok_or(Errno::ENODEV)
            .map_err(at(stage, format!("open(\"{MOUNTED}/cgroup.procs\")")))?;
        writable(&own)?;
        // Above the mount point `cgroup.procs` is missing, which ends it.
        let all = own.ancestors().take_while(|folder| writable(folder).is_ok());
        let best = all.into_iter().find(|folder| limits(folder).is_ok()).unwrap_or(&own);
        Ok(Ground { folder: best.to_owned() })
    }

    /// Whether what is made here can have limits.
    ///
    /// # Errors
    ///
    /// `ENODEV` where a controller is not enabled for children.
    pub(crate) fn limits(&self) -> Result<(), SetupError> {
        limits(&self.folder)
    }
}

/// Whether we may make a cgroup there, and move a process of ours into it: it comes from here or
/// from below, and the kernel asks for the cgroup above both (cgroups(7), "Delegation").
fn writable(folder: &Path) -> Result<(), SetupError> {
    for path in [folder.to_owned(), folder.join("cgroup.procs")] {
        access(&path, AccessFlags::W_OK)
            .map_err(at(Stage::Cgroups, format!("access({path:?}, W_OK)")))?;
    }
    Ok(())
}

fn limits(folder: &Path) -> Result<(), SetupError> {
    let file = folder.join("cgroup.subtree_control");
    let enabled =
        fs::read_to_string(&file).map_err(io_at(Stage::CgroupLimits, format!("open({file:?})")))?;
    let enabled: Vec<&str> = enabled.split_ascii_whitespace().collect();
    match CONTROLLERS.into_iter().find(|controller| !enabled.contains(controller)) {
        None => Ok(()),
        Some(lacking) => {
            let call = format!("no `{lacking}` in {file:?}");
            Err(SetupError { stage: Stage::CgroupLimits, call, errno: Errno::ENODEV })
        }
    }
}

/// The cgroups of a lab to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The path of the lab's uppermost one on this machine.
    pub(crate) folder: String,
    /// Whether those below may have limits.
    pub(crate) limits: bool,
}

impl Plan {
    pub(crate) fn on(ground: &Ground) -> Plan {
        let folder = ground.folder.join(crate::token("namespaces-by-hand"));
        Plan { folder: folder.to_string_lossy().into_owned(), limits: ground.limits().is_ok() }
    }
}

/// What the supervisor and PID 1 of a sandbox with cgroups hold.
pub(crate) struct Tenancy {
    /// The lab's uppermost `cgroup.procs`: who moves a process needs the rights of whoever has
    /// opened that (since Linux 5.16 and the stable kernels of its time,
    /// `cgroup_procs_write_permission` in `kernel/cgroup/cgroup.c`), and the lab has not ours.
    pub(crate) entrance: OwnedFd,
    /// As long as somebody holds it, the cgroups stay.
    _lease: OwnedFd,
}

impl Tenancy {
    /// In the supervisor: starts a janitor, and then makes the lab's uppermost cgroup. `gone` is
    /// closed when that has been removed.
    pub(crate) fn begin(
        plan: &Plan,
        request: &Request,
        gone: OwnedFd,
    ) -> Result<Tenancy, SetupError> {
        let stage = Stage::Cgroups;
        let folder = PathBuf::from(&plan.folder);
        let _lease =
            fork_janitor(&folder, gone).map_err(at(stage, "clone(the janitor of the cgroups)"))?;
        fs::create_dir(&folder).map_err(io_at(stage, format!("mkdir({folder:?})")))?;
        let path = |file: &str| folder.join(file);
        let entrance = File::options().write(true).open(path("cgroup.procs"));
        let entrance =
            entrance.map_err(io_at(stage, format!("open({:?})", path("cgroup.procs"))))?;
        // Whoever makes cgroups without end is stopped before it is this machine's worry.
        for (file, most) in [("cgroup.max.depth", "8"), ("cgroup.max.descendants", "64")] {
            _ = fs::write(path(file), most);
        }
        let many = ids::many().filter(|_| request.many_ids);
        let (uid, gid) = many.unwrap_or_else(|| (ids::host_uid(), ids::host_gid()));
        if uid != Uid::effective().as_raw() {
            // What a delegation hands over (cgroups(7); /sys/kernel/cgroup/delegate).
            for file in ["", "cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
                chown(path(file), Some(uid), Some(gid))
                    .map_err(io_at(stage, format!("chown({:?})", path(file))))?;
            }
        }
        Ok(Tenancy { entrance: entrance.into(), _lease })
    }
}

/// A process that removes the cgroup when nobody holds the lease any more. It is there before the
/// cgroup is, so that whoever is killed at whatever moment leaves none.
fn fork_janitor(folder: &Path, gone: OwnedFd) -> nix::Result<OwnedFd> {
    let (lease, line) = wire::pair()?;
    // SAFETY: the supervisor has one thread.
    match unsafe { sys::fork_into(0) }? {
        Fork::Parent { .. } => {
            drop(line);
            // Until it says that it has left our process group, it may die with us.
            wire::receive(lease.as_fd())?.ok_or(Errno::ECHILD)?;
            Ok(lease)
        }
        Fork::Child => {
            // Ctrl-C at the terminal is for the check, and we have to see it out.
            _ = setsid();
            _ = nix::sys::prctl::set_name(c"janitor");
            _ = sys::close_from_but(3, &[line.as_raw_fd(), gone.as_raw_fd()]);
            _ = wire::send(line.as_fd(), b"!", &[]);
            while let Ok(Some(_)) = wire::receive(line.as_fd()) {}
            remove(folder);
            exit(0)
        }
    }
}

/// The cgroups below one, children after their parents.
pub(crate) fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
            found.extend(below(&entry.path()));
        }
    }
    found
}

/// Removes a cgroup and those below. Their files go with them.
fn remove(folder: &Path) {
    below(folder).iter().rev().for_each(|folder| remove_one(folder));
    remove_one(folder);
}

fn remove_one(folder: &Path) {
    // Who is killed with PID 1 may be on its way out for a moment more: EBUSY.
    for _ in 0..10_000 {
        match fs::remove_dir(folder) {
            Err(error) if error.kind() == ErrorKind::ResourceBusy => {
                std::thread::sleep(Duration::from_millis(1));
            }
            // Somebody else's removal is as good.
            _ => return,
        }
    }
}

/// In the program-to-be, before it makes its cgroup namespace: into the cgroup that will be `/`.
pub(crate) fn enter(entrance: &OwnedFd) -> Result<(), SetupError> {
    nix::unistd::write(entrance, b"0")
        .map(drop)
        .map_err(at(Stage::Cgroups, "write(\"cgroup.procs\", \"0\")"))
}

/// In the program-to-be, with its own cgroup and mount namespaces.
pub(crate) fn show() -> Result<(), SetupError> {
    mount_on(MOUNTED).map_err(at(Stage::CgroupMount, format!("mount(\"cgroup2\", \"{MOUNTED}\")")))
}

pub(crate) fn mount_on(folder: &str) -> nix::Result<()> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("cgroup2"), folder, Some("cgroup2"), flags, None::<&str>)
}

/// In the program-to-be, as root of the lab: one level down, and limits for whoever comes.
pub(crate) fn furnish(plan: &Plan) -> Result<(), SetupError> {
    let stage = Stage::Cgroups;
    let write = |file: &str, text: &str| {
        let path = format!("{MOUNTED}{file}");
        fs::write(&path, text).map_err(io_at(stage, format!("write({path:?}, {text:?})")))
    };
    let lab = format!("{MOUNTED}{STARTED_IN}");
    fs::create_dir(&lab).map_err(io_at(stage, format!("mkdir({lab:?})")))?;
    write(&format!("{STARTED_IN}/cgroup.procs"), "0")?;
    if plan.limits {
        write("/cgroup.subtree_control", &CONTROLLERS.map(|name| format!("+{name}")).join(" "))?;
    }
    Ok(())
}
