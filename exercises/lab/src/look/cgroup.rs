//! Cgroups (cgroups(7), version 2) from outside: which one a process is in, and what its files say.

use std::fs;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::Pid;

use super::procfs::text_of;
use super::{Mount, Process, mounts};
use crate::sys;

/// One cgroup, by its folder in the file system of this process.
pub struct Cgroup {
    pub(crate) folder: PathBuf,
}

impl Cgroup {
    /// The cgroup that a process is in.
    ///
    /// # Errors
    ///
    /// `ENODEV` if no mount of this process shows it, `ESRCH` if the process has ended.
    pub fn of(process: &Process) -> nix::Result<Cgroup> {
        let path = path_of(process)?;
        Ok(Cgroup { folder: folder(&path).ok_or(Errno::ENODEV)? })
    }

    /// The contents of one of its files, such as `pids.max`, without the newline at the end.
    ///
    /// # Errors
    ///
    /// `ENOENT` if there is no such file: the controller is not enabled for this cgroup.
    pub fn read(&self, file: &str) -> nix::Result<String> {
        let text = fs::read_to_string(self.folder.join(file));
        Ok(text.map_err(|error| sys::errno_of(&error))?.trim_end().to_owned())
    }

    /// A number in a file of lines `KEY NUMBER`, such as `oom` in `memory.events`.
    ///
    /// # Errors
    ///
    /// Those of [`Cgroup::read`], and `ENODATA` if there is no such line.
    pub fn count(&self, file: &str, key: &str) -> nix::Result<u64> {
        let text = self.read(file)?;
        let found = text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok());
        found.ok_or(Errno::ENODATA)
    }
}

/// The path of a process's cgroup, as it is seen from the cgroup namespace of this process
/// (cgroup_namespaces(7)).
///
/// # Errors
///
/// `ESRCH` or `ENOENT` if the process has ended, `ENODEV` if the kernel has no cgroups of version 2.
pub fn path_of(process: &Process) -> nix::Result<String> {
    path_of_pid(process.pid())
}

/// The same for a process or a thread, by its id in the PID namespace of this process.
pub(crate) fn path_of_pid(pid: Pid) -> nix::Result<String> {
    let text = text_of(format!("/proc/{pid}/cgroup"));
    path_in(&text.map_err(|error| sys::errno_of(&error))?).ok_or(Errno::ENODEV)
}

/// The path in the contents of `/proc/PID/cgroup`: the line of hierarchy 0, which is version 2.
pub fn path_in(text: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix("0::")).map(str::to_owned)
}

/// The folder of the cgroup that this process is in.
pub(crate) fn own_folder() -> Option<PathBuf> {
    folder(&path_in(&fs::read_to_string("/proc/self/cgroup").ok()?)?)
}

fn folder(path: &str) -> Option<PathBuf> {
    let mounts = mounts::parse(&fs::read_to_string("/proc/self/mountinfo").ok()?);
    mounts.iter().filter(|mount| mount.kind == "cgroup2").find_map(|mount| below(mount, path))
}

/// Where a mount of cgroup2 shows the cgroup of this path, if it does. Both paths are as this
/// process sees them.
pub(crate) fn below(mount: &Mount, path: &str) -> Option<PathBuf> {
    let rest = Path::new(path).strip_prefix(&mount.root).ok()?;
    // A path with `..` lies outside the cgroup namespace of this process.
    let plain = rest.components().all(|part| matches!(part, Component::Normal(_)));
    plain.then(|| Path::new(&mount.point).components().chain(rest.components()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(root: &str) -> Mount {
        let line = format!("3 1 0:28 {root} /sys/fs/cgroup ro - cgroup2 cgroup rw");
        mounts::parse(&line).pop().unwrap()
    }

    #[test]
    fn a_path_is_found_below_a_mount() {
        let at = |root, path| below(&mount(root), path).map(|path| path.display().to_string());
        assert_eq!(at("/", "/").as_deref(), Some("/sys/fs/cgroup"));
        assert_eq!(at("/", "/a/b").as_deref(), Some("/sys/fs/cgroup/a/b"));
        assert_eq!(at("/a", "/a/b").as_deref(), Some("/sys/fs/cgroup/b"));
        assert_eq!(at("/a", "/ab"), None);
        assert_eq!(at("/", "/../x"), None);
        assert_eq!(at("/..", "/"), None);
    }

    #[test]
    fn the_line_of_version_2() {
        assert_eq!(path_in("9:name=systemd:/\n0::/a\n").as_deref(), Some("/a"));
        assert_eq!(path_in("9:name=systemd:/\n"), None);
    }
}
