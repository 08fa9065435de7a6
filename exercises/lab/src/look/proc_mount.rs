//! Which PID namespace a mounted `/proc` belongs to.
//!
//! A proc file system shows the processes of the PID namespace of the process that mounted it
//! (pid_namespaces(7)). Its device number is of no help, as every mount is an instance of its own.

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
    /// The processes of an ancestor of its PID namespace, in which it has another pid.
    Outer,
    /// Neither: it is no proc file system, or one of a PID namespace in which the process has no pid.
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
    /// `self` in that file system is the reader, so it is of no use from outside. Instead the process is
    /// looked up under each of its pids. That there is a process with this pid proves nothing, since
    /// PID namespaces reuse the same numbers; it must also be in the same PID namespace.
    pub fn proc(&self) -> Proc {
        let pids = Fields::status(self.pid()).unwrap_or_default().pids();
        let own = Namespace::open(&format!("/proc/{}/ns/{}", self.pid(), Kind::Pid)).ok();
        let Ok(proc) = self.its_proc() else { return Proc::Other };
        let is_listed = |inside: &[i32]| {
            // In an instance of procfs, NSpid begins with the level of that instance (proc(5)).
            let listed = status_in(&proc, inside[0]).unwrap_or_default();
            listed.pids() == inside && own.is_some() && namespace_in(&proc, inside[0]).ok() == own
        };
        // From its own PID namespace outwards to the first one below that of this process.
        let level = (1..pids.len()).rev().find(|level| is_listed(&pids[*level..]));
        match level {
            Some(level) if level + 1 == pids.len() => Proc::Own,
            Some(_) => Proc::Outer,
            None => Proc::Other,
        }
    }

    /// The root directory of a proc file system at `/proc`.
    ///
    /// The program controls the path: a symbolic link in it would lead this process to a file of the
    /// machine, and anything may be mounted on it.
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

/// Opens a file of this proc file system, but not one that is mounted in it.
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
    // This link leads to nsfs, another file system, so RESOLVE_NO_XDEV cannot be used. If something
    // else is mounted on it, opening that does not block.
    let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    Namespace::from_fd(openat(folder.as_fd(), Kind::Pid.name(), flags, Mode::empty())?)
}
