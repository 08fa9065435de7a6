//! Why a call failed, in words. The errno alone says little: `EPERM` of `sethostname` means
//! another right in another place than `EPERM` of `unshare`.
//!
//! Each reason is looked for where the kernel looks (the function is named), in what the recorder
//! knows of the caller at that moment. Where nothing fits it says nothing.

use std::fs;

use nix::errno::Errno;
use nix::unistd::Pid;

use super::calls::{Call, Meaning};
use super::names::{self, Names};
use super::tasks::Tasks;
use crate::look::procfs::Fields;
use crate::look::{Kind, Namespace};
use trace::NamespaceId;

const CAP_SYS_CHROOT: u32 = 18;
const CAP_SYS_ADMIN: u32 = 21;

/// The caller, as it was when the call failed.
pub(super) struct Caller<'a> {
    pid: Pid,
    names: &'a Names,
    /// Its user namespace; `None` when the kernel does not let the recorder look.
    user: Option<NamespaceId>,
    pid_namespace: Option<NamespaceId>,
    pid_for_children: Option<NamespaceId>,
    capabilities: u64,
    threads: u32,
    root: &'a str,
    /// Itself, and the other tasks that the recorder knows.
    tasks: Vec<Numbered>,
}

/// A task as the caller sees it.
struct Numbered {
    /// In the caller's PID namespace.
    number: i32,
    pid: Pid,
    user: Option<NamespaceId>,
}

impl<'a> Caller<'a> {
    pub(super) fn of(pid: Pid, tasks: &'a Tasks, names: &'a Names) -> Option<Caller<'a>> {
        let task = tasks.get(pid)?;
        // How deep the PID namespace is. A task that has a number there is visible to the caller.
        let level = task.pids.len().checked_sub(1)?;
        let numbered = tasks.alive().into_iter().filter_map(|(pid, task)| {
            let user = task.namespaces.get(&Kind::User).copied();
            Some(Numbered { number: *task.pids.get(level)?, pid, user })
        });
        Some(Caller {
            pid,
            names,
            user: task.namespaces.get(&Kind::User).copied(),
            pid_namespace: task.namespaces.get(&Kind::Pid).copied(),
            pid_for_children: task.children.get(&Kind::Pid).copied(),
            capabilities: task.capabilities.unwrap_or_default(),
            threads: Fields::status(pid).and_then(|it| it.number("Threads")).unwrap_or(1),
            root: task.root.as_deref().unwrap_or_default(),
            tasks: numbered.collect(),
        })
    }

    fn has(&self, capability: u32) -> bool {
        self.capabilities & 1 << capability != 0
    }

    /// The user namespace that it is in.
    fn place(&self) -> String {
        self.user.map_or("a user namespace".to_owned(), |user| user.to_string())
    }

    /// `uts A is owned by user A, you are in user B`.
    fn rights_over(&self, kind: Kind, namespace: Option<Namespace>, needs: &str) -> Option<String> {
        let namespace = namespace?;
        let name = self.names.known(&namespace).map(|name| name.to_string());
        let name = name.unwrap_or_else(|| format!("that {kind} namespace"));
        let owner = namespace.owner().ok().and_then(|owner| self.names.known(&owner));
        let ours = self.place();
        if owner.is_some() && owner == self.user {
            return Some(format!(
                "no {needs}: {name} is owned by {ours}, which you are in, but without the capability"
            ));
        }
        let owner = match owner {
            Some(NamespaceId::OUTER) => "the one around the sandbox".to_owned(),
            Some(owner) => owner.to_string(),
            None => "a user namespace outside of the sandbox".to_owned(),
        };
        Some(format!(
            "no {needs} in the user namespace that owns it: {name} is owned by {owner}, you are in {ours}"
        ))
    }

    fn own(&self, kind: Kind) -> Option<Namespace> {
        names::open(self.pid, kind.name()).ok()
    }

    /// Whether the caller's user namespace owns the namespace of this kind that it is in.
    fn owns(&self, kind: Kind) -> bool {
        let owner = self.own(kind).and_then(|namespace| namespace.owner().ok());
        let owner = owner.and_then(|owner| self.names.known(&owner));
        owner.is_some() && owner == self.user
    }

    fn in_a_chroot(&self) -> bool {
        self.root != "/"
    }
}

pub(super) fn explain(caller: &Caller, call: &Call, errno: Errno) -> Option<String> {
    match (&call.meaning, errno) {
        (Meaning::Unshare(flags) | Meaning::Child(flags), errno) => {
            birth(caller, call, *flags, errno)
        }
        (Meaning::Setns { fd, kinds }, errno) => joining(caller, *fd, *kinds, errno),
        // `SYSCALL_DEFINE2(sethostname)` in kernel/sys.c.
        (Meaning::HostName(_), Errno::EPERM) => {
            caller.rights_over(Kind::Uts, caller.own(Kind::Uts), "CAP_SYS_ADMIN")
        }
        (Meaning::HostName(_), Errno::EINVAL) => {
            Some("a host name has 64 bytes at most".to_owned())
        }
        (Meaning::Mounts(kind), errno) => mounting(caller, call, kind.as_deref(), errno),
        (Meaning::Chroot, Errno::EPERM) if !caller.has(CAP_SYS_CHROOT) => {
            Some(format!("no CAP_SYS_CHROOT in {}, where you are", caller.place()))
        }
        (Meaning::Write { file, bytes }, errno) => setting(caller, file, bytes, errno),
        // `ptrace_attach` in kernel/ptrace.c.
        (Meaning::Ptrace, Errno::EPERM) => Some(
            "a task can have one tracer, and the recorder is it: run the program without recording"
                .to_owned(),
        ),
        (Meaning::Exec(_), Errno::ENOENT) => Some(if caller.in_a_chroot() {
            format!("there is no such file below {}, which is your root", caller.root)
        } else {
            "there is no such file under the root that you are in, or its interpreter is not there"
                .to_owned()
        }),
        (Meaning::Exec(_), Errno::EACCES) => Some("that file is not executable".to_owned()),
        _ => None,
    }
}

/// unshare(2) and clone(2).
fn birth(caller: &Caller, call: &Call, flags: u64, errno: Errno) -> Option<String> {
    let has = |kind: Kind| flags & kind.flag() as u64 != 0;
    let thread = flags & libc::CLONE_THREAD as u64 != 0;
    let elsewhere =
        caller.pid_for_children.is_some() && caller.pid_for_children != caller.pid_namespace;
    match errno {
        // `create_new_namespaces` in kernel/nsproxy.c; with CLONE_NEWUSER the right comes first.
        Errno::EPERM if !has(Kind::User) && !caller.has(CAP_SYS_ADMIN) => Some(format!(
            "no CAP_SYS_ADMIN in {}, where you are; only a user namespace can be made without it",
            caller.place()
        )),
        // `create_user_ns` in kernel/user_namespace.c.
        Errno::EPERM if has(Kind::User) && caller.in_a_chroot() => {
            Some("a user namespace cannot be made in a chroot".to_owned())
        }
        Errno::EPERM if has(Kind::User) => Some(format!(
            "your ids are not mapped in {}, or a security module forbids new user namespaces",
            caller.place()
        )),
        // `check_unshare_flags` in kernel/fork.c.
        Errno::EINVAL if call.name == "unshare" && has(Kind::User) && caller.threads > 1 => {
            Some(format!(
                "the process has {} threads; only one alone can move to a new user namespace",
                caller.threads
            ))
        }
        // `copy_pid_ns` in kernel/pid_namespace.c.
        Errno::EINVAL if has(Kind::Pid) && elsewhere => {
            Some("a new PID namespace for the children has been made before".to_owned())
        }
        // `copy_process` in kernel/fork.c.
        Errno::EINVAL if thread && elsewhere => Some(
            "children are to be in another PID namespace, and a thread must be in its process's"
                .to_owned(),
        ),
        Errno::EINVAL if has(Kind::Mnt) && flags & libc::CLONE_FS as u64 != 0 => {
            Some("CLONE_NEWNS and CLONE_FS exclude each other".to_owned())
        }
        Errno::EINVAL if call.name == "clone3" && flags & 0x7f != 0 => {
            Some("the low bits are no flags of clone3: the exit signal has a field of its own".to_owned())
        }
        // `alloc_pid` in kernel/pid.c.
        Errno::ENOMEM if elsewhere || caller.pid_for_children.is_none() => Some(
            "the PID 1 of the PID namespace for your children has ended: nobody can be born there any more"
                .to_owned(),
        ),
        Errno::ENOSPC => Some(
            "a limit on namespaces: /proc/sys/user/max_*_namespaces, or too many of them nested".to_owned(),
        ),
        Errno::EAGAIN => Some("the sandbox's limit on processes".to_owned()),
        _ => None,
    }
}

/// setns(2): `validate_nsset` and the `install` functions of each kind.
fn joining(caller: &Caller, fd: i32, kinds: u64, errno: Errno) -> Option<String> {
    let target = Some(Namespace::open(&format!("/proc/{}/fd/{fd}", caller.pid)).ok()?);
    let kind = Kind::ALL.into_iter().find(|kind| {
        let link = fs::read_link(format!("/proc/{}/fd/{fd}", caller.pid)).unwrap_or_default();
        link.to_string_lossy().starts_with(&format!("{kind}:["))
    });
    match (errno, kind) {
        (Errno::EPERM, Some(kind)) if kind != Kind::User => {
            let owner = target.as_ref().and_then(|target| target.owner().ok());
            let owner = owner.and_then(|owner| caller.names.known(&owner));
            if owner.is_some() && owner == caller.user && !caller.has(CAP_SYS_ADMIN) {
                Some(format!("no CAP_SYS_ADMIN in {}, where you are", caller.place()))
            } else {
                caller.rights_over(kind, target, "CAP_SYS_ADMIN")
            }
        }
        (Errno::EPERM, None) => Some(
            "one of the namespaces of that process is owned by a user namespace where you have no CAP_SYS_ADMIN"
                .to_owned(),
        ),
        (Errno::EINVAL, Some(kind)) if kinds != 0 && kinds != kind.flag() as u64 => {
            Some(format!("the descriptor is one of a {kind} namespace"))
        }
        (Errno::EINVAL, None) if kinds == 0 => {
            Some("a pidfd means all of a process's namespaces: say with flags which ones".to_owned())
        }
        (Errno::EINVAL, Some(Kind::User)) if caller.own(Kind::User) == target => {
            Some("you are in that user namespace already".to_owned())
        }
        (Errno::EINVAL, Some(Kind::User)) if caller.threads > 1 => Some(format!(
            "the process has {} threads; only one alone can join a user namespace",
            caller.threads
        )),
        (Errno::EINVAL, Some(Kind::Pid)) => {
            Some("one can join PID namespaces below one's own, and none above".to_owned())
        }
        (Errno::EUSERS, _) => Some(format!(
            "the process has {} threads; only one alone can join a time namespace",
            caller.threads
        )),
        (Errno::ESRCH, _) => Some("that process has ended".to_owned()),
        _ => None,
    }
}

/// mount(2), umount2(2), pivot_root(2) and their newer kin: fs/namespace.c.
fn mounting(caller: &Caller, call: &Call, new: Option<&str>, errno: Errno) -> Option<String> {
    let may_mount = caller.owns(Kind::Mnt) && caller.has(CAP_SYS_ADMIN);
    match (call.name, errno) {
        (_, Errno::EPERM) if !may_mount => {
            caller.rights_over(Kind::Mnt, caller.own(Kind::Mnt), "CAP_SYS_ADMIN")
        }
        ("mount" | "fsopen" | "fsconfig" | "fsmount", Errno::EPERM) => {
            let needs = match new? {
                "proc" => Kind::Pid,
                "sysfs" => Kind::Net,
                "mqueue" => Kind::Ipc,
                "cgroup2" | "cgroup" => Kind::Cgroup,
                "tmpfs" | "ramfs" | "devpts" | "overlay" => return None,
                other => {
                    return Some(format!("only the machine's root may mount a new {other}"));
                }
            };
            if caller.owns(needs) {
                Some("parts of the one that is mounted here are hidden, and a new one would show them (`mount_too_revealing`)".to_owned())
            } else {
                caller.rights_over(needs, caller.own(needs), "CAP_SYS_ADMIN")
            }
        }
        ("mount", Errno::EACCES) => Some("the file system is read-only or may not be used like that here".to_owned()),
        ("mount", Errno::EINVAL) if new.is_none() => Some(
            "the path is not a mount point, or its mount is locked: it came from a user namespace above".to_owned(),
        ),
        ("umount2", Errno::EINVAL) => Some(
            "the path is not a mount point, or its mount is locked: it came from a user namespace above".to_owned(),
        ),
        ("umount2", Errno::EBUSY) => Some("somebody has a file or a working directory there".to_owned()),
        ("pivot_root", Errno::EINVAL) => Some(
            "the new root is not a mount point, its parent or the old root's is shared, or the place for the old root is not below it"
                .to_owned(),
        ),
        ("pivot_root", Errno::EBUSY) => Some(
            "the new root, or the place for the old one, is on the root mount that you have now".to_owned(),
        ),
        (_, Errno::ENOENT) => Some("one of the paths does not exist".to_owned()),
        (_, Errno::ENODEV) => Some("this kernel does not know that type of file system".to_owned()),
        _ => None,
    }
}

/// Writes to uid_map and its like: `map_write` and `proc_setgroups_write` in
/// kernel/user_namespace.c, `timens_offsets_write` in kernel/time/namespace.c.
fn setting(caller: &Caller, file: &str, bytes: &[u8], errno: Errno) -> Option<String> {
    let (folder, name) = file.rsplit_once('/')?;
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().count();
    let three_numbers = |line: &str| {
        let mut fields = line.split_ascii_whitespace();
        fields.by_ref().take(3).filter(|field| field.parse::<u32>().is_ok()).count() == 3
            && fields.next().is_none()
    };
    // The path is the caller's, and so is its number.
    let number = folder.rsplit('/').next().and_then(|number| number.parse().ok());
    let whose = caller.tasks.iter().find(|task| Some(task.number) == number);
    let now = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", whose?.pid)).ok();
    match (name, errno) {
        ("uid_map" | "gid_map", Errno::EINVAL) if !text.lines().all(three_numbers) => Some(
            "one write(2) must carry whole lines of three numbers: first id inside, first id outside, length"
                .to_owned(),
        ),
        ("uid_map" | "gid_map", Errno::EPERM) if now(name).is_some_and(|map| !map.is_empty()) => {
            Some(match whose {
                Some(Numbered { user: Some(user @ NamespaceId::FIRST_USER), .. }) => format!(
                    "it belongs to {user}, where your program was started, and was written before"
                ),
                _ => "a map can be written once, and this one has been".to_owned(),
            })
        }
        ("gid_map", Errno::EPERM) if now("setgroups").is_some_and(|now| now.trim() == "allow") => {
            Some("without privilege over the ids outside, \"deny\" must be written to setgroups first".to_owned())
        }
        ("uid_map" | "gid_map", Errno::EPERM) => Some(if lines > 1 {
            "without privilege over the ids outside, a map has one line".to_owned()
        } else {
            "without privilege over the ids outside, the only id that can be mapped is one's own, with length 1"
                .to_owned()
        }),
        ("setgroups", Errno::EPERM) => Some("it cannot be changed any more: gid_map has been written".to_owned()),
        ("timens_offsets", Errno::EACCES) => {
            Some("somebody is in that time namespace already: its offsets are fixed".to_owned())
        }
        ("timens_offsets", Errno::EPERM) => {
            Some("no CAP_SYS_TIME in the user namespace that owns the time namespace".to_owned())
        }
        _ => None,
    }
}
