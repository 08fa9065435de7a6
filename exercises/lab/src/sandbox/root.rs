//! The root directory of a sandbox: an empty tmpfs, in which read-only mounts show what a program
//! needs to start, one for each entry of [`SYSTEM`].
//!
//! This machine's `/` made read-only would not do, because through a read-only mount a process can
//! still connect(2) to a socket.

use std::ffi::CString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sys::stat::{self, SFlag};
use nix::unistd::{chdir, pivot_root};

use super::request::{Fixture, Request, Shown};
use crate::helper::refusal::{Refusal, Stage, refused};
use crate::look::mounts::{self, Mount};
use crate::sys;

/// Programs and what they need to start. Symbolic links are copied, and what is absent is skipped.
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

/// In order: a folder comes after the one that it is in.
const FOLDERS: [&str; 13] = [
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
];

const LINKS: [(&str, &str); 3] =
    [("dev/fd", "/proc/self/fd"), ("dev/stdin", "/proc/self/fd/0"), ("dev/ptmx", "pts/ptmx")];

/// What id(1) and ls(1) read. They name no other account of this machine.
const FILES: [(&str, &str); 4] = [
    (
        "etc/passwd",
        "root:x:0:0:root:/tmp:/bin/sh\nyou:x:1000:1000:you:/tmp:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    ),
    ("etc/group", "root:x:0:\ntty:x:5:\nyou:x:1000:\nnogroup:x:65534:\n"),
    ("etc/hosts", "127.0.0.1 localhost\n::1 localhost\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files\n"),
];

/// The witness, made by `build.rs`.
pub(crate) const WITNESS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/witness"));

/// A file or folder to show. The supervisor opens it, which can reach files that PID 1 cannot.
pub(crate) enum Opened {
    Mount(OwnedFd),
    /// Of a file that the program's id may not execute: so umask 077 leaves the programs of root.
    Contents(File),
}

impl Opened {
    /// `uid` is the program's id outside. `None` if the supervisor cannot reach the file either.
    pub(crate) fn open(path: &str, uid: u32) -> Option<Opened> {
        let is_closed =
            |file: fs::Metadata| file.is_file() && file.uid() != uid && file.mode() & 0o001 == 0;
        if fs::metadata(path).is_ok_and(is_closed)
            && let Ok(file) = File::open(path)
        {
            return Some(Opened::Contents(file));
        }
        sys::clone_tree(&CString::new(path).ok()?).ok().map(Opened::Mount)
    }
}

/// What the root directory shows of this machine: mounts that are not attached anywhere yet.
pub(crate) struct Trees {
    /// The path inside, and the mount.
    shown: Vec<(String, OwnedFd)>,
    /// `None` is a symbolic link.
    system: Vec<(&'static str, Option<OwnedFd>)>,
    devices: Vec<(&'static str, OwnedFd)>,
}

impl Trees {
    /// Takes them, in this mount namespace. `opened` is what the supervisor could open of
    /// `request.shown`.
    pub(crate) fn take(request: &Request, opened: Vec<Option<Opened>>) -> Result<Trees, Refusal> {
        // If `/` is a shared mount, the mounts below would propagate back to this machine.
        let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
        mount(None::<&str>, "/", None::<&str>, private, None::<&str>)
            .map_err(refused(Stage::Mount, "mount(\"/\", MS_REC | MS_PRIVATE)"))?;

        let mut shown = Vec::new();
        for (Shown { name, path }, opened) in request.shown.iter().zip(opened) {
            let tree = match opened {
                Some(Opened::Mount(tree)) => tree,
                Some(Opened::Contents(file)) => copy(file)?,
                None => clone_tree(path)?,
            };
            // Without a name it is a folder that covers the empty one.
            let inside = if name.is_empty() { "lab".to_owned() } else { format!("lab/{name}") };
            shown.push((inside, tree));
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
}

/// Builds the root directory and makes it `/`. The trees are taken before, because its tmpfs covers
/// a folder of this machine (in this mount namespace only) that may hold them.
pub(crate) fn build(request: &Request, trees: Trees) -> Result<(), Refusal> {
    let base = skeleton()?;
    show(trees)?;
    files(request)?;
    kernel_file_systems(request)?;
    seal(base)
}

/// A folder of this machine to mount on, in this mount namespace only.
fn covered() -> Result<&'static str, Refusal> {
    let base = ["/tmp", "/run", "/mnt", "/var"].into_iter().find(|path| Path::new(path).is_dir());
    base.ok_or(Errno::ENOENT).map_err(refused(Stage::Mount, "stat(\"/tmp\")"))
}

/// An empty tree on a tmpfs, which becomes the working directory. Returns the folder that it
/// covers.
fn skeleton() -> Result<&'static str, Refusal> {
    let stage = Stage::Mount;
    let base = covered()?;
    tmpfs(base, "mode=755,size=16M,nr_inodes=2k")?;
    chdir(base).map_err(refused(stage, format!("chdir(\"{base}\")")))?;
    for path in FOLDERS {
        fs::create_dir(path).map_err(refused(stage, format!("mkdir(\"/{path}\")")))?;
    }
    tmpfs("tmp", "mode=1777,size=64M,nr_inodes=16k")?;
    tmpfs("run", "mode=755,size=16M,nr_inodes=4k")?;
    tmpfs("dev/shm", "mode=1777,size=64M,nr_inodes=4k")?;
    Ok(base)
}

fn tmpfs(target: &str, options: &str) -> Result<(), Refusal> {
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(Some("tmpfs"), target, Some("tmpfs"), flags, Some(options))
        .map_err(refused(Stage::Mount, format!("mount(\"tmpfs\", \"{target}\")")))
}

/// Attaches what is shown of this machine.
fn show(trees: Trees) -> Result<(), Refusal> {
    let stage = Stage::Show;
    for (path, tree) in trees.system {
        let inside = &path[1..];
        match tree {
            Some(tree) => {
                let is_file = fs::metadata(path).is_ok_and(|found| found.is_file());
                attach(&tree, inside, is_file, MsFlags::MS_NODEV)?;
            }
            None => {
                let link = fs::read_link(path).and_then(|target| symlink(target, inside));
                link.map_err(refused(stage, format!("symlink(\"{path}\")")))?;
            }
        }
    }
    for (inside, tree) in trees.shown {
        let kind = stat::fstat(&tree).map(|found| SFlag::from_bits_truncate(found.st_mode));
        let kind = kind.map_err(refused(stage, format!("fstat(\"/{inside}\")")))?;
        let is_file = !kind.contains(SFlag::S_IFDIR);
        attach(&tree, &inside, is_file, MsFlags::MS_NODEV)?;
    }
    // Read-only protects a device's node, whose times and mode are the machine's; the device can be
    // written to.
    for (name, tree) in trees.devices {
        attach(&tree, &format!("dev/{name}"), true, MsFlags::empty())?;
    }
    Ok(())
}

/// Writes the files that are made for the sandbox, the witness, and the check's fixtures.
fn files(request: &Request) -> Result<(), Refusal> {
    let stage = Stage::Mount;
    for (path, target) in LINKS {
        symlink(target, path).map_err(refused(stage, format!("symlink(\"/{path}\")")))?;
    }
    for (path, text) in FILES {
        fs::write(path, text).map_err(refused(stage, format!("write(\"/{path}\")")))?;
    }
    let fixtures = request.fixtures.iter();
    let fixtures = fixtures.map(|(path, fixture)| (request.with_witness(path), fixture));
    for (path, fixture) in
        [(request.witness.clone(), &Fixture::Witness)].into_iter().chain(fixtures)
    {
        let inside = path.trim_start_matches('/');
        match fixture {
            Fixture::Directory => fs::create_dir(inside),
            Fixture::File(text) => fs::write(inside, text),
            Fixture::Witness => write_witness(inside),
        }
        .map_err(refused(stage, format!("creat(\"{path}\")")))?;
    }
    Ok(())
}

/// Mounts `/proc`, the program's own terminals, and a `/sys` for cgroups.
fn kernel_file_systems(request: &Request) -> Result<(), Refusal> {
    if request.cgroups {
        separate_sys()?;
    }
    if request.terminal {
        let options = "newinstance,ptmxmode=0666,mode=620";
        let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
        mount(Some("devpts"), "dev/pts", Some("devpts"), flags, Some(options))
            .map_err(refused(Stage::Mount, "mount(\"devpts\", \"/dev/pts\")"))?;
    }
    // The kernel allows it only while another /proc that hides nothing is visible in this mount
    // namespace (`mount_too_revealing` in fs/namespace.c), so it comes before the old root goes.
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("proc"), "proc", Some("proc"), flags, None::<&str>)
        .map_err(refused(Stage::Proc, "mount(\"proc\", \"/proc\")"))
}

/// Makes `/sys` a mount of its own, as on a machine. A mount at `/sys/fs/cgroup` propagates with its parent,
/// so it is `/sys` that a program has to make private, and not only `/`.
fn separate_sys() -> Result<(), Refusal> {
    let stage = Stage::Mount;
    tmpfs("sys", "mode=755,size=4k,nr_inodes=8")?;
    for path in ["sys/fs", "sys/fs/cgroup"] {
        fs::create_dir(path).map_err(refused(stage, format!("mkdir(\"/{path}\")")))?;
    }
    read_only("sys", "/sys")
}

/// Makes a tmpfs that the sandbox has mounted at `folder`, which is `inside` for the program, read-only.
fn read_only(folder: &str, inside: &str) -> Result<(), Refusal> {
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    let flags = flags | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let call = format!("mount(\"{inside}\", MS_REMOUNT | MS_BIND | MS_RDONLY)");
    mount(None::<&str>, folder, None::<&str>, flags, None::<&str>)
        .map_err(refused(Stage::Mount, call))
}

/// Makes the new root read-only, and takes the old one away.
fn seal(base: &str) -> Result<(), Refusal> {
    read_only(base, "/")?;

    // Both arguments are the new root: the old one is then mounted on top of it, and unmounted
    // (pivot_root(2)).
    let stage = Stage::Pivot;
    pivot_root(".", ".").map_err(refused(stage, "pivot_root(\".\", \".\")"))?;
    umount2(".", MntFlags::MNT_DETACH).map_err(refused(stage, "umount2(\".\", MNT_DETACH)"))?;
    chdir("/").map_err(refused(stage, "chdir(\"/\")"))
}

fn write_witness(inside: &str) -> std::io::Result<()> {
    fs::create_dir_all(Path::new(inside).parent().unwrap_or(Path::new(".")))?;
    fs::write(inside, WITNESS)?;
    fs::set_permissions(inside, fs::Permissions::from_mode(0o755))
}

fn c_path(path: &str) -> Result<CString, Refusal> {
    let no_nul = CString::new(path).map_err(|_| Errno::EINVAL);
    no_nul.map_err(refused(Stage::Show, format!("open_tree({path:?})")))
}

/// A copy of a file that every id may execute, on a tmpfs that nothing else is on.
fn copy(mut from: File) -> Result<OwnedFd, Refusal> {
    let stage = Stage::Show;
    let folder = covered()?;
    mount(Some("tmpfs"), folder, Some("tmpfs"), MsFlags::empty(), Some("mode=755"))
        .map_err(refused(stage, format!("mount(\"tmpfs\", \"{folder}\")")))?;
    let path = format!("{folder}/copy");
    let copied = File::create(&path).and_then(|mut to| {
        io::copy(&mut from, &mut to)?;
        to.set_permissions(fs::Permissions::from_mode(0o755))
    });
    copied.map_err(refused(stage, format!("write(\"{path}\")")))?;
    let tree = clone_tree(&path);
    // The tree keeps the file.
    umount2(folder, MntFlags::MNT_DETACH)
        .map_err(refused(stage, format!("umount2(\"{folder}\")")))?;
    tree
}

fn clone_tree(path: &str) -> Result<OwnedFd, Refusal> {
    let tree = sys::clone_tree(&c_path(path)?);
    tree.map_err(refused(Stage::Show, format!("open_tree(\"{path}\", OPEN_TREE_CLONE)")))
}

/// Shows a tree at `inside`, a path relative to the new root: read-only and without set-user-ID,
/// and so the mounts below it. `no_devices` is `MS_NODEV`, or empty for a device.
fn attach(tree: &OwnedFd, inside: &str, is_file: bool, no_devices: MsFlags) -> Result<(), Refusal> {
    let stage = Stage::Show;
    let make = || match is_file {
        true => fs::write(inside, ""),
        false if Path::new(inside).is_dir() => Ok(()),
        false => fs::create_dir(inside),
    };
    let made = make().or_else(|_| {
        fs::create_dir_all(Path::new(inside).parent().unwrap_or(Path::new(".")))?;
        make()
    });
    let call = if is_file { "creat" } else { "mkdir" };
    made.map_err(refused(stage, format!("{call}(\"/{inside}\")")))?;

    let flags = MsFlags::MS_RDONLY | MsFlags::MS_NOSUID | no_devices;
    // These flags of mount(2) and the attributes of mount_setattr(2) are the same bits
    // (`include/uapi/linux/mount.h`).
    let locked = sys::lock_tree(tree.as_fd(), sys::wide(flags.bits()));
    sys::attach_tree(tree.as_fd(), &c_path(inside)?)
        .map_err(refused(stage, format!("move_mount(\"/{inside}\")")))?;
    match locked {
        // Before Linux 5.12: mount by mount.
        Err(Errno::ENOSYS) => lock_each_mount_below(inside, flags),
        locked => {
            let call = format!("mount_setattr(\"/{inside}\", MOUNT_ATTR_RDONLY)");
            locked.map_err(refused(stage, call))
        }
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
        // In a user namespace a mount's flags are locked: a remount without one of them is EPERM.
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
