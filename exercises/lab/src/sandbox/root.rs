//! The root directory of a sandbox.
//!
//! Not this machine's `/` made read-only: through a read-only mount one can still connect(2) to a
//! socket. The root is an empty tmpfs, and what a program needs to start is shown in it, one
//! read-only mount for each entry of [`SYSTEM`].

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{chdir, pivot_root};

use super::request::{Fixture, Request, Shown};
use crate::helper::refusal::{Refusal, Stage, refused};
use crate::look::mounts::{self, Mount};
use crate::sys;

/// Programs and what they need to start. Absent ones are left out, symbolic links copied.
const SYSTEM: [&str; 12] = [
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/terminfo",
    "/nix/store",
    "/run/current-system/sw",
];

const DEVICES: [&str; 6] = ["full", "null", "random", "tty", "urandom", "zero"];

/// What id(1) and ls(1) ask for. No other account of this machine is known inside.
const FILES: [(&str, &str); 4] = [
    (
        "/etc/passwd",
        "root:x:0:0:root:/tmp:/bin/sh\nyou:x:1000:1000:you:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    ),
    ("/etc/group", "root:x:0:\ntty:x:5:\nyou:x:1000:\nnogroup:x:65534:\n"),
    ("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    ("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
];

/// The witness, made by `build.rs`.
pub(crate) const WITNESS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/witness"));

/// What of this machine is shown: mounts that are not attached anywhere yet.
pub(crate) struct Trees {
    /// The path inside, and the mount.
    shown: Vec<(String, OwnedFd)>,
    /// `None` is a symbolic link.
    system: Vec<(&'static str, Option<OwnedFd>)>,
    devices: Vec<(&'static str, OwnedFd)>,
}

impl Trees {
    /// Takes them, in this mount namespace. `ready` are the mounts of `request.shown` that the
    /// supervisor could make.
    pub(crate) fn take(request: &Request, ready: Vec<Option<OwnedFd>>) -> Result<Trees, Refusal> {
        let stage = Stage::Mount;
        // Whatever is mounted from here on stays here.
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
            .map_err(refused(stage, "mount(\"/\", MS_REC | MS_PRIVATE)"))?;

        // What lies under the folder we cover must be taken before.
        let mut shown = Vec::new();
        for (Shown { name, path }, tree) in request.shown.iter().zip(ready) {
            let tree = match tree {
                Some(tree) => tree,
                None => clone_tree(path)?,
            };
            shown.push((format!("lab/{name}"), tree));
        }
        let mut system = Vec::new();
        for path in SYSTEM {
            match fs::symlink_metadata(path) {
                Err(_) => {}
                Ok(found) if found.is_symlink() => system.push((path, None)),
                Ok(_) => system.push((path, Some(clone_tree(path)?))),
            }
        }
        let mut devices = Vec::new();
        for name in DEVICES {
            devices.push((name, clone_tree(&format!("/dev/{name}"))?));
        }
        Ok(Trees { shown, system, devices })
    }

    /// Builds the root on a tmpfs over a folder of this machine (in this mount namespace only),
    /// and makes it `/`.
    pub(crate) fn build(self, request: &Request) -> Result<(), Refusal> {
        let Trees { shown, system, devices } = self;
        let stage = Stage::Mount;
        let base =
            ["/tmp", "/run", "/mnt", "/var"].into_iter().find(|path| Path::new(path).is_dir());
        let base = base.ok_or(Errno::ENOENT).map_err(refused(stage, "stat(\"/tmp\")"))?;
        let tmpfs = |target: &str, size: &str| {
            let none = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
            mount(Some("tmpfs"), target, Some("tmpfs"), none, Some(size))
                .map_err(refused(stage, format!("mount(\"tmpfs\", \"{target}\")")))
        };
        tmpfs(base, "mode=755,size=16M,nr_inodes=2k")?;
        chdir(base).map_err(refused(stage, format!("chdir(\"{base}\")")))?;

        let make = |path: &str| {
            let made = fs::create_dir(path);
            made.map_err(refused(stage, format!("mkdir(\"/{path}\")")))
        };
        for path in [
            "dev",
            "dev/pts",
            "dev/shm",
            "etc",
            "lab",
            "mnt",
            "proc",
            "run",
            "sys",
            "sys/fs",
            "sys/fs/cgroup",
            "tmp",
            "var",
        ] {
            make(path)?;
        }
        tmpfs("tmp", "mode=1777,size=64M,nr_inodes=16k")?;
        tmpfs("run", "mode=755,size=16M,nr_inodes=4k")?;
        tmpfs("dev/shm", "mode=1777,size=64M,nr_inodes=4k")?;

        for (path, tree) in system {
            let inside = &path[1..];
            match tree {
                Some(tree) => {
                    let file = fs::metadata(path).is_ok_and(|found| found.is_file());
                    attach(tree, inside, file)?;
                }
                None => {
                    let link = fs::read_link(path).and_then(|target| symlink(target, inside));
                    link.map_err(refused(Stage::Show, format!("symlink(\"{path}\")")))?;
                }
            }
        }
        for (inside, tree) in shown {
            attach(tree, &inside, true)?;
        }
        for (name, tree) in devices {
            attach_device(tree, &format!("dev/{name}"))?;
        }
        for (path, target) in [
            ("dev/fd", "/proc/self/fd"),
            ("dev/stdin", "/proc/self/fd/0"),
            ("dev/ptmx", "pts/ptmx"),
        ] {
            symlink(target, path).map_err(refused(stage, format!("symlink(\"/{path}\")")))?;
        }
        for (path, text) in FILES {
            fs::write(&path[1..], text).map_err(refused(stage, format!("write(\"{path}\")")))?;
        }
        write_witness("lab/witness").map_err(refused(stage, "write(\"/lab/witness\")"))?;

        for (path, fixture) in &request.fixtures {
            let inside = path.trim_start_matches('/');
            match fixture {
                Fixture::Directory => fs::create_dir(inside),
                Fixture::File(text) => fs::write(inside, text),
                Fixture::Witness => write_witness(inside),
            }
            .map_err(refused(stage, format!("creat(\"{path}\")")))?;
        }

        if request.terminal {
            let options = "newinstance,ptmxmode=0666,mode=620";
            let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
            mount(Some("devpts"), "dev/pts", Some("devpts"), flags, Some(options))
                .map_err(refused(stage, "mount(\"devpts\", \"/dev/pts\")"))?;
        }
        // The kernel allows it only while another /proc that hides nothing is visible here: this
        // stage comes before the old root goes.
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
        mount(Some("proc"), "proc", Some("proc"), flags, None::<&str>)
            .map_err(refused(Stage::Proc, "mount(\"proc\", \"/proc\")"))?;

        let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
        let read_only = read_only | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
        mount(None::<&str>, base, None::<&str>, read_only, None::<&str>)
            .map_err(refused(stage, "mount(\"/\", MS_REMOUNT | MS_BIND | MS_RDONLY)"))?;

        // New and old root on one spot: the old one comes to lie on top and is taken off.
        pivot_root(".", ".").map_err(refused(Stage::Pivot, "pivot_root(\".\", \".\")"))?;
        umount2(".", MntFlags::MNT_DETACH)
            .map_err(refused(Stage::Pivot, "umount2(\".\", MNT_DETACH)"))?;
        chdir("/").map_err(refused(Stage::Pivot, "chdir(\"/\")"))
    }
}

fn write_witness(inside: &str) -> std::io::Result<()> {
    fs::write(inside, WITNESS)?;
    fs::set_permissions(inside, fs::Permissions::from_mode(0o755))
}

fn c_path(path: &str) -> Result<CString, Refusal> {
    let no_nul = CString::new(path).map_err(|_| Errno::EINVAL);
    no_nul.map_err(refused(Stage::Show, format!("open_tree({path:?})")))
}

fn clone_tree(path: &str) -> Result<OwnedFd, Refusal> {
    let tree = sys::clone_tree(&c_path(path)?);
    tree.map_err(refused(Stage::Show, format!("open_tree(\"{path}\", OPEN_TREE_CLONE)")))
}

/// Shows a tree at `inside`, a path relative to the new root: read-only, no set-user-ID, no
/// devices, also for the mounts below it.
fn attach(tree: OwnedFd, inside: &str, file: bool) -> Result<(), Refusal> {
    let stage = Stage::Show;
    let make = || if file { fs::write(inside, "") } else { fs::create_dir(inside) };
    let made = make().or_else(|_| {
        fs::create_dir_all(Path::new(inside).parent().unwrap_or(Path::new(".")))?;
        make()
    });
    made.map_err(refused(stage, format!("mkdir(\"/{inside}\")")))?;

    attach_read_only(&tree, inside, MsFlags::MS_NODEV)
}

/// Read-only is its node, and not what it leads to: its times and mode are the machine's.
fn attach_device(tree: OwnedFd, inside: &str) -> Result<(), Refusal> {
    fs::write(inside, "").map_err(refused(Stage::Show, format!("creat(\"/{inside}\")")))?;
    attach_read_only(&tree, inside, MsFlags::empty())
}

/// At what is there. `devices` is `MS_NODEV`, or nothing for a device.
fn attach_read_only(tree: &OwnedFd, inside: &str, devices: MsFlags) -> Result<(), Refusal> {
    let stage = Stage::Show;
    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | devices;
    // The old flags and the new attributes are the same bits (`include/uapi/linux/mount.h`).
    let locked = sys::lock_tree(tree.as_fd(), flags.bits());
    sys::attach_tree(tree.as_fd(), &c_path(inside)?)
        .map_err(refused(stage, format!("move_mount(\"/{inside}\")")))?;
    match locked {
        // Before Linux 5.12: mount by mount.
        Err(Errno::ENOSYS) => lock_each_mount_below(inside, flags),
        locked => locked
            .map_err(refused(stage, format!("mount_setattr(\"/{inside}\", MOUNT_ATTR_RDONLY)"))),
    }
}

/// What [`sys::lock_tree`] does, with mount(2).
fn lock_each_mount_below(inside: &str, new: MsFlags) -> Result<(), Refusal> {
    let stage = Stage::Show;
    let top =
        fs::canonicalize(inside).map_err(refused(stage, format!("realpath(\"/{inside}\")")))?;
    let mounts = fs::read_to_string("/proc/self/mountinfo")
        .map_err(refused(stage, "read(\"/proc/self/mountinfo\")"))?;
    for Mount { point, options, .. } in mounts::parse(&mounts) {
        if !Path::new(&point).starts_with(&top) {
            continue;
        }
        // Flags that are there already are locked in a user namespace: leaving one out is EPERM.
        let mut flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | new;
        for option in options.split(',') {
            flags |= match option {
                "nosuid" => MsFlags::MS_NOSUID,
                "nodev" => MsFlags::MS_NODEV,
                "noexec" => MsFlags::MS_NOEXEC,
                "noatime" => MsFlags::MS_NOATIME,
                "nodiratime" => MsFlags::MS_NODIRATIME,
                "relatime" => MsFlags::MS_RELATIME,
                _ => MsFlags::empty(),
            };
        }
        mount(None::<&str>, point.as_str(), None::<&str>, flags, None::<&str>).map_err(refused(
            stage,
            format!("mount(\"{point}\", MS_REMOUNT | MS_BIND | MS_RDONLY)"),
        ))?;
    }
    Ok(())
}
