//! Which namespaces a process is in.

use std::fs::File;
use std::os::fd::{AsFd as _, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::stat::{Mode, fstat};
use nix::unistd::Pid;

use trace::Kind;

use super::Process;
use crate::sys;

/// One namespace, which an open descriptor keeps alive.
///
/// Two are equal if device and inode are (namespaces(7)). That is true only while both are open: the
/// kernel reuses the inode number of a namespace that is gone.
pub struct Namespace {
    fd: OwnedFd,
    id: (u64, u64),
}

impl Namespace {
    /// Opens the file of a namespace. A program may have put a pipe or a terminal at the path: with
    /// O_NONBLOCK and O_NOCTTY opening it neither blocks nor acquires a controlling terminal.
    ///
    /// # Errors
    ///
    /// Those of open(2).
    pub(crate) fn open(path: &str) -> nix::Result<Namespace> {
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
        Namespace::from_fd(nix::fcntl::open(path, flags, Mode::empty())?)
    }

    pub fn from_fd(fd: OwnedFd) -> nix::Result<Namespace> {
        let stat = fstat(&fd)?;
        Ok(Namespace { id: (stat.st_dev, sys::wide(stat.st_ino)), fd })
    }

    /// The user namespace that owns this one: `NS_GET_USERNS`, ioctl_nsfs(2), Linux 4.9.
    pub fn owner(&self) -> nix::Result<Namespace> {
        Namespace::from_fd(sys::ioctl_fd(self.fd.as_fd(), libc::NS_GET_USERNS)?)
    }

    /// The namespace that a user or PID namespace is nested in: `NS_GET_PARENT`, ioctl_nsfs(2),
    /// Linux 4.9.
    ///
    /// # Errors
    ///
    /// `EPERM` if it lies outside the caller's view, `EINVAL` for the other kinds, which are not
    /// nested.
    pub fn parent(&self) -> nix::Result<Namespace> {
        Namespace::from_fd(sys::ioctl_fd(self.fd.as_fd(), libc::NS_GET_PARENT)?)
    }

    /// The effective uid that created this user namespace, in the user namespace of this process:
    /// `NS_GET_OWNER_UID`, ioctl_nsfs(2), Linux 4.11.
    ///
    /// # Errors
    ///
    /// `EINVAL` for the other kinds.
    pub fn creator(&self) -> nix::Result<u32> {
        sys::ioctl_number(self.fd.as_fd(), libc::NS_GET_OWNER_UID)
    }

    /// The text of its link in `/proc/PID/ns`: `user:[4026531837]`.
    pub fn name(&self, kind: Kind) -> String {
        format!("{kind}:[{}]", self.id.1)
    }

    /// The inode number, by which `/proc/PID/ns` names it.
    pub fn inode(&self) -> u64 {
        self.id.1
    }

    pub fn fd(&self) -> &OwnedFd {
        &self.fd
    }

    /// Another descriptor of the same namespace.
    ///
    /// # Errors
    ///
    /// `EMFILE` if this process has too many open.
    pub fn try_clone(&self) -> nix::Result<Namespace> {
        let fd = self.fd.try_clone();
        let fd = fd.map_err(|error| sys::errno_of(&error))?;
        Ok(Namespace { fd, id: self.id })
    }
}

impl PartialEq for Namespace {
    fn eq(&self, other: &Namespace) -> bool {
        self.id == other.id
    }
}

/// The namespaces of one process (of its main thread) at one moment. `None` for a kind that the
/// kernel does not have.
pub struct Namespaces([Option<Namespace>; 8]);

impl Namespaces {
    /// The namespaces of `process`, which must not have been waited for.
    ///
    /// # Errors
    ///
    /// `EACCES` without the permission to look (ptrace(2), `PTRACE_MODE_READ_FSCREDS`), `ESRCH` if
    /// the process has ended.
    pub fn of(process: &Process) -> nix::Result<Namespaces> {
        let mut all = [const { None }; 8];
        for kind in Kind::ALL.into_iter().filter(|kind| kind.exists()) {
            all[kind as usize] =
                Some(Namespace::from_fd(open(process.pidfd(), process.pid(), kind)?)?);
        }
        Ok(Namespaces(all))
    }

    /// The namespaces of one thread, by its id in the PID namespace of this process.
    ///
    /// # Errors
    ///
    /// Those of [`Namespaces::of`].
    pub fn of_thread(process: &Process, thread: i32) -> nix::Result<Namespaces> {
        let folder = format!("/proc/{}/task/{thread}/ns", process.pid());
        let mut all = [const { None }; 8];
        for kind in Kind::ALL.into_iter().filter(|kind| kind.exists()) {
            all[kind as usize] = Some(Namespace::from_fd(open_path(&format!("{folder}/{kind}"))?)?);
        }
        Ok(Namespaces(all))
    }

    /// Other descriptors of the same namespaces.
    ///
    /// # Errors
    ///
    /// `EMFILE` if this process has too many open.
    pub fn try_clone(&self) -> nix::Result<Namespaces> {
        let mut all = [const { None }; 8];
        for kind in Kind::ALL {
            all[kind as usize] = self.get(kind).map(Namespace::try_clone).transpose()?;
        }
        Ok(Namespaces(all))
    }

    /// Takes descriptors that another process has opened: those of the kinds that the kernel has, in
    /// the order of [`Kind::ALL`].
    pub(crate) fn from_fds(fds: impl IntoIterator<Item = OwnedFd>) -> nix::Result<Namespaces> {
        let mut all = [const { None }; 8];
        for (kind, fd) in Kind::ALL.into_iter().filter(|kind| kind.exists()).zip(fds) {
            all[kind as usize] = Some(Namespace::from_fd(fd)?);
        }
        Ok(Namespaces(all))
    }

    pub fn get(&self, kind: Kind) -> Option<&Namespace> {
        self.0[kind as usize].as_ref()
    }

    /// The kinds in which these are not the same as others.
    pub fn apart_from(&self, others: &Namespaces) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| self.get(*kind) != others.get(*kind)).collect()
    }

    pub fn into_each(self) -> [(Kind, Option<Namespace>); 8] {
        let mut all = self.0;
        Kind::ALL.map(|kind| (kind, all[kind as usize].take()))
    }
}

/// Whether this kernel opens namespaces by pidfd (Linux 6.11).
pub fn pidfds_tell() -> bool {
    let us = Process::open(Pid::this());
    us.is_ok_and(|us| sys::pidfd_namespace(us.pidfd().as_fd(), pidfd_request(Kind::User)).is_ok())
}

// ANCHOR: open
/// With a pidfd there is no moment in which a pid could come to mean another process. Kernels before
/// 6.11 (`ENOTTY`) have only the pid, which stays valid because the process is parked.
pub(crate) fn open(pidfd: &OwnedFd, pid: Pid, kind: Kind) -> nix::Result<OwnedFd> {
    match sys::pidfd_namespace(pidfd.as_fd(), pidfd_request(kind)) {
        Err(Errno::ENOTTY) => open_path(&format!("/proc/{pid}/ns/{kind}")),
        fd => fd,
    }
}
// ANCHOR_END: open

fn open_path(path: &str) -> nix::Result<OwnedFd> {
    let file = File::open(path);
    let file = file.map_err(|error| sys::errno_of(&error))?;
    Ok(file.into())
}

/// The ioctl(2) request that opens a namespace of a pidfd's process, Linux 6.11.
pub(crate) fn pidfd_request(kind: Kind) -> libc::Ioctl {
    match kind {
        Kind::User => libc::PIDFD_GET_USER_NAMESPACE,
        Kind::Mnt => libc::PIDFD_GET_MNT_NAMESPACE,
        Kind::Pid => libc::PIDFD_GET_PID_NAMESPACE,
        Kind::Net => libc::PIDFD_GET_NET_NAMESPACE,
        Kind::Uts => libc::PIDFD_GET_UTS_NAMESPACE,
        Kind::Ipc => libc::PIDFD_GET_IPC_NAMESPACE,
        Kind::Cgroup => libc::PIDFD_GET_CGROUP_NAMESPACE,
        Kind::Time => libc::PIDFD_GET_TIME_NAMESPACE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_shares_every_namespace_with_itself() {
        let us = Process::open(nix::unistd::Pid::this()).unwrap();
        let (one, two) = (Namespaces::of(&us).unwrap(), Namespaces::of(&us).unwrap());
        for kind in Kind::ALL {
            assert!(one.get(kind) == two.get(kind), "{kind}");
            assert_eq!(one.get(kind).is_some(), kind.exists(), "{kind}");
        }
    }

    #[test]
    fn by_pidfd_and_by_path_it_is_the_same_namespace() {
        let us = Process::open(nix::unistd::Pid::this()).unwrap();
        for kind in Kind::ALL.into_iter().filter(|kind| kind.exists()) {
            let path = File::open(format!("/proc/self/ns/{kind}")).unwrap();
            let path = Namespace::from_fd(path.into()).unwrap();
            assert!(Namespaces::of(&us).unwrap().get(kind) == Some(&path), "{kind}");
        }
    }
}
