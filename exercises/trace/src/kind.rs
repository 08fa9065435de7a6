//! The eight kinds of namespace.

use std::fmt;
use std::sync::LazyLock;

/// The eight kinds of namespace, in the order in which this course shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    User,
    Mnt,
    Pid,
    Net,
    Uts,
    Ipc,
    Cgroup,
    Time,
}

impl Kind {
    pub const ALL: [Kind; 8] = [
        Kind::User,
        Kind::Mnt,
        Kind::Pid,
        Kind::Net,
        Kind::Uts,
        Kind::Ipc,
        Kind::Cgroup,
        Kind::Time,
    ];

    /// The file's name in `/proc/PID/ns` (namespaces(7)).
    pub fn name(self) -> &'static str {
        match self {
            Kind::User => "user",
            Kind::Mnt => "mnt",
            Kind::Pid => "pid",
            Kind::Net => "net",
            Kind::Uts => "uts",
            Kind::Ipc => "ipc",
            Kind::Cgroup => "cgroup",
            Kind::Time => "time",
        }
    }

    /// The kind with this [`name`](Kind::name).
    pub fn parse(name: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Its flag for clone(2), unshare(2) and setns(2): `CLONE_NEW*`.
    pub fn flag(self) -> i32 {
        match self {
            Kind::User => libc::CLONE_NEWUSER,
            Kind::Mnt => libc::CLONE_NEWNS,
            Kind::Pid => libc::CLONE_NEWPID,
            Kind::Net => libc::CLONE_NEWNET,
            Kind::Uts => libc::CLONE_NEWUTS,
            Kind::Ipc => libc::CLONE_NEWIPC,
            Kind::Cgroup => libc::CLONE_NEWCGROUP,
            Kind::Time => libc::CLONE_NEWTIME,
        }
    }

    /// As it stands before "namespace" in a sentence.
    pub fn in_words(self) -> &'static str {
        match self {
            Kind::Mnt => "mount",
            Kind::Pid => "PID",
            Kind::Net => "network",
            Kind::Uts => "UTS",
            Kind::Ipc => "IPC",
            kind => kind.name(),
        }
    }

    /// The flag's name. That of mount namespaces is CLONE_NEWNS, as they were the first kind.
    pub fn flag_name(self) -> &'static str {
        match self {
            Kind::User => "CLONE_NEWUSER",
            Kind::Mnt => "CLONE_NEWNS",
            Kind::Pid => "CLONE_NEWPID",
            Kind::Net => "CLONE_NEWNET",
            Kind::Uts => "CLONE_NEWUTS",
            Kind::Ipc => "CLONE_NEWIPC",
            Kind::Cgroup => "CLONE_NEWCGROUP",
            Kind::Time => "CLONE_NEWTIME",
        }
    }

    /// Whether this kernel has this kind. Time namespaces came with Linux 5.6, and some kernels are
    /// built without them.
    pub fn exists(self) -> bool {
        static KNOWN: LazyLock<[bool; 8]> = LazyLock::new(|| {
            let file = |kind: Kind| format!("/proc/self/ns/{kind}");
            Kind::ALL.map(|kind| std::fs::symlink_metadata(file(kind)).is_ok())
        });
        KNOWN[self as usize]
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A call with the `CLONE_NEW*` in `flags`, as one would type it: `unshare(CLONE_NEWUTS)`.
pub fn flag_names(call: &str, flags: i32) -> String {
    let names: Vec<_> = Kind::ALL
        .iter()
        .filter(|kind| flags & kind.flag() != 0)
        .map(|kind| kind.flag_name())
        .collect();
    format!("{call}({})", names.join(" | "))
}
