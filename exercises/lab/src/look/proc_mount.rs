//! Which PID namespace a mounted `/proc` belongs to.
//!
//! A proc file system shows the processes of the PID namespace of whoever mounted it
//! (pid_namespaces(7)). Its device number tells nothing: every mount is an instance of its own.

use std::fmt;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::{AsFd as _, OwnedFd};

use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat, openat2};
use nix::sys::stat::Mode;
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};

use super::procfs::Fields;
use super::{Kind, Namespace, Process};

/// What a process finds at `/proc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proc {
    /// The processes of its own PID namespace.
    Own,
    /// Those of a namespace further out, in which it has another pid too.
    Outer,
    /// Neither: no proc file system, or one of a namespace that it is not in.
    Other,
}

impl fmt::Display for Proc {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(match self {
            Proc::Own => "shows its own PID namespace",
            Proc::Outer => "shows an outer PID namespace",
            Proc::Other => "shows neither its own PID namespace nor an outer one",
        })
    }
}

impl Process {
    /// What it finds at `/proc`, looked up in its root directory.
    ///
    /// Read from outside, so `self` is of no use: that would be the reader. But the process itself
    /// must stand there under the pid that it has in the namespace of that `/proc`, and whoever
    /// stands there is known by its PID namespace: PID 1 of each is in its own.
    pub fn proc(&self) -> Proc {
        let pids = Fields::status(self.pid()).unwrap_or_default().pids();
        let own = Namespace::open(&format!("/proc/{}/ns/{}", self.pid(), Kind::Pid)).ok();
        let Ok(proc) = self.its_proc() else { return Proc::Other };
        let is_listed = |inside: &[i32]| {
            // In an instance of procfs, NSpid begins with the level of that instance (proc(5)).
            let listed = status_in(&proc, inside[0]).unwrap_or_default();
            listed.pids() == inside && own.is_some() && namespace_in(&proc, inside[0]).ok() == own
        };
        // From its own level outwards to the first below ours.
        let level = (1..pids.len()).rev().find(|level| is_listed(&pids[*level..]));
        match level {
            Some(level) if level + 1 == pids.len() => Proc::Own,
            Some(_) => Proc::Outer,
            None => Proc::Other,
        }
    }

    /// The root directory of a proc file system at `/proc`.
    ///
    /// The path is the program's. A link in it would lead to a file of this machine, for whoever
    /// follows it from here; and anything may be mounted on it.
    fn its_proc(&self) -> nix::Result<OwnedFd> {
        let folder = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let root = open(format!("/proc/{}/root", self.pid()).as_str(), folder, Mode::empty())?;
        let resolve = ResolveFlag::RESOLVE_BENEATH | ResolveFlag::RESOLVE_NO_SYMLINKS;
        let proc = openat2(&root, "proc", OpenHow::new().flags(folder).resolve(resolve))?;
        match fstatfs(&proc)?.filesystem_type() {
            PROC_SUPER_MAGIC => Ok(proc),
            _ => Err(nix::errno::Errno::ENOTSUP),
        }
    }
}

/// Opens a file of this proc file system, and none that is mounted in it.
fn open_in(proc: &OwnedFd, path: &str, flags: OFlag) -> nix::Result<OwnedFd> {
    let resolve = ResolveFlag::RESOLVE_BENEATH
        | ResolveFlag::RESOLVE_NO_SYMLINKS
        | ResolveFlag::RESOLVE_NO_XDEV;
    openat2(proc, path, OpenHow::new().flags(flags | OFlag::O_CLOEXEC).resolve(resolve))
}

fn status_in(proc: &OwnedFd, pid: i32) -> std::io::Result<Fields> {
    let mut text = Vec::new();
    let file = open_in(proc, &format!("{pid}/status"), OFlag::O_RDONLY)?;
    File::from(file).read_to_end(&mut text)?;
    Ok(Fields(String::from_utf8_lossy(&text).into_owned()))
}

fn namespace_in(proc: &OwnedFd, pid: i32) -> nix::Result<Namespace> {
    let folder = open_in(proc, &format!("{pid}/ns"), OFlag::O_PATH | OFlag::O_DIRECTORY)?;
    // A link of its own kind, to a file of another file system. Should something else be mounted on
    // it, that does not keep us.
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    Namespace::from_fd(openat(folder.as_fd(), Kind::Pid.name(), flags, Mode::empty())?)
}
