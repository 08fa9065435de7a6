//! Where a process can go without an absolute path: its root and working directory, and what its
//! descriptors refer to.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::Pid;
use trace::Kind;

use super::procfs::Fields;
use super::{Namespace, Process};
use crate::sys;

/// A descriptor that leads somewhere.
pub enum Way {
    /// To a directory, on the mount with this id: openat(2), fchdir(2).
    Directory(u64),
    /// To a namespace: setns(2).
    Namespace(Kind, Namespace),
    /// To the namespaces of a process, which setns(2) joins by its pidfd. `None` if it has ended.
    Process(Option<Process>),
}

impl Process {
    /// The id of the mount of its root directory, even if the mount is in no namespace any more:
    /// `mnt_id` of proc_pid_fdinfo(5).
    ///
    /// # Errors
    ///
    /// Those of [`Process::mounts`].
    pub fn root_directory(&self) -> nix::Result<u64> {
        self.mount_behind("root")
    }

    /// The id of the mount of its working directory.
    ///
    /// # Errors
    ///
    /// Those of [`Process::mounts`].
    pub fn working_directory(&self) -> nix::Result<u64> {
        self.mount_behind("cwd")
    }

    /// The id of the mount of the file that it executes.
    ///
    /// # Errors
    ///
    /// Those of [`Process::mounts`].
    pub fn executable(&self) -> nix::Result<u64> {
        self.mount_behind("exe")
    }

    fn mount_behind(&self, link: &str) -> nix::Result<u64> {
        let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
        let file = open(format!("/proc/{}/{link}", self.pid()).as_str(), flags, Mode::empty())?;
        mount_of(&format!("/proc/self/fdinfo/{}", file.as_raw_fd()))
    }

    /// Those of its descriptors that lead somewhere.
    ///
    /// # Errors
    ///
    /// Those of [`Process::mounts`].
    pub fn ways(&self) -> nix::Result<Vec<Way>> {
        let folder = format!("/proc/{}", self.pid());
        let entries = fs::read_dir(format!("{folder}/fd"));
        let mut found = Vec::new();
        for entry in entries.map_err(|error| sys::errno_of(&error))?.flatten() {
            let info = format!("{folder}/fdinfo/{}", entry.file_name().to_string_lossy());
            // A descriptor that is closed meanwhile leads nowhere.
            found.extend(way_of(&entry.path(), &info));
        }
        Ok(found)
    }
}

/// Where a descriptor leads to, by its links in `fd` and `fdinfo`; `None` for a file, a pipe or the like.
fn way_of(link: &Path, info: &str) -> Option<Way> {
    let target = fs::read_link(link).ok()?;
    let kind = target.to_str().and_then(|target| Kind::parse(target.split_once(":[")?.0));
    if let Some(kind) = kind {
        return Some(Way::Namespace(kind, Namespace::open(link.to_str()?).ok()?));
    }
    // Only a pidfd has this line.
    if let Some(pid) = Fields::read(info).ok()?.number("Pid") {
        return Some(Way::Process(Process::open(Pid::from_raw(pid)).ok()));
    }
    let is_directory = fs::metadata(link).is_ok_and(|behind| behind.is_dir());
    Some(Way::Directory(mount_of(info).ok().filter(|_| is_directory)?))
}

/// The id of a descriptor's mount, from its file in `fdinfo`.
pub(crate) fn mount_of(info: &str) -> nix::Result<u64> {
    let info = Fields::read(info).map_err(|error| sys::errno_of(&error))?;
    info.number("mnt_id").ok_or(Errno::EPROTO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_that_lead_somewhere_are_found() {
        let us = Process::open(Pid::this()).unwrap();
        let numbers: Vec<u64> = us.mounts().unwrap().iter().map(|mount| mount.id).collect();
        assert!(numbers.contains(&us.working_directory().unwrap()));
        assert!(numbers.contains(&us.root_directory().unwrap()));
        assert!(numbers.contains(&us.executable().unwrap()));
        let held = fs::File::open("/proc").unwrap();
        let proc = mount_of(&format!("/proc/self/fdinfo/{}", held.as_raw_fd())).unwrap();
        let user = Namespace::open("/proc/self/ns/user").unwrap();
        let ways = us.ways().unwrap();
        let leads = |to: &dyn Fn(&Way) -> bool| ways.iter().any(to);
        assert!(leads(&|way| matches!(way, Way::Directory(id) if *id == proc)));
        assert!(leads(&|way| matches!(way, Way::Namespace(Kind::User, found) if *found == user)));
        assert!(leads(&|way| matches!(way, Way::Process(Some(found)) if found.pid() == us.pid())));
    }
}
