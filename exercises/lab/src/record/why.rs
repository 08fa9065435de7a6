//! Why a call failed, in words. The errno alone says little: `EPERM` from `sethostname` means that
//! another right is missing, in another place, than `EPERM` from `unshare`.
//!
//! Each reason is looked for where the kernel looks (the function is named), in what the recorder
//! knows of the caller at that moment. Where nothing fits there is no reason.

use std::borrow::Cow;
use std::fs;
use std::io::ErrorKind;
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::fcntl::{self, OFlag};
use nix::sys::stat::Mode;
use nix::unistd::Pid;

use super::calls::{Call, Meaning, NAMESPACES};
use super::names::{self, Names};
use super::tasks::Tasks;
use crate::look::procfs::{Fields, ranges_in, text_of};
use crate::look::stat::Stat;
use crate::look::{Kind, Mount, Namespace, mount_of, mounts};
use trace::{Argument, NamespaceId};

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
    /// Whether its next child is the first process of a PID namespace.
    first_child_is_pid_1: bool,
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
            // `pidns_for_children_get` in kernel/pid_namespace.c.
            first_child_is_pid_1: names::open(pid, "pid_for_children")
                .is_err_and(|errno| errno == Errno::ENOENT),
            capabilities: task.capabilities.unwrap_or_default(),
            threads: Fields::status(pid).and_then(|it| it.number("Threads")).unwrap_or(1),
            root: task.root.as_ref().map_or("", |root| &root.path),
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

    /// In which user namespace CAP_SYS_ADMIN is missing, and where the caller is.
    fn lacks_admin(&self, kind: Kind, namespace: Option<Namespace>) -> Option<Reason> {
        let namespace = namespace?;
        let name = self.names.known(&namespace).map(|name| name.to_string());
        let name = name.unwrap_or_else(|| format!("that {kind} namespace"));
        let owner = namespace.owner().ok().and_then(|owner| self.names.known(&owner));
        let here = self.place();
        if owner.is_some() && owner == self.user {
            let reason =
                format!("no CAP_SYS_ADMIN in {here}, where you are, and which owns {name}");
            return (!self.has(CAP_SYS_ADMIN)).then(|| reason.into());
        }
        let owner = match owner {
            Some(NamespaceId::OUTER) => "the user namespace around the sandbox".to_owned(),
            Some(owner) => owner.to_string(),
            None => "a user namespace outside the sandbox".to_owned(),
        };
        Some(format!("no CAP_SYS_ADMIN in {owner}, which owns {name}; you are in {here}").into())
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

    fn too_many_threads(&self, what: &str) -> Reason {
        format!(
            "the process has {} threads, and only one with a single thread can {what}",
            self.threads
        )
        .into()
    }
}

/// The flags of unshare(2): `check_unshare_flags` in kernel/fork.c.
const UNSHARE: u64 = NAMESPACES
    | (libc::CLONE_THREAD
        | libc::CLONE_FS
        | libc::CLONE_SIGHAND
        | libc::CLONE_VM
        | libc::CLONE_FILES
        | libc::CLONE_SYSVSEM) as u64;

type Reason = Cow<'static, str>;

/// `CLONE_ARGS_SIZE_VER0`.
const SMALLEST_CLONE_ARGS: u64 = 64;

/// Why this call failed with this errno, if the recorder knows.
pub(super) fn explain(caller: &Caller, call: &Call, errno: Errno) -> Option<String> {
    let reason: Reason = match (&call.meaning, errno) {
        (Meaning::Unshare(flags) | Meaning::Child(flags), errno) => {
            creation(caller, call, *flags, errno)?
        }
        (Meaning::Setns { fd, kinds }, errno) => joining(caller, *fd, *kinds, errno)?,
        // `SYSCALL_DEFINE2(sethostname)` in kernel/sys.c.
        (Meaning::HostName(_), Errno::EPERM) => {
            caller.lacks_admin(Kind::Uts, caller.own(Kind::Uts))?
        }
        (Meaning::HostName(_), Errno::EINVAL) => "a host name has 64 bytes at most".into(),
        (Meaning::Mounts(kind), errno) => mounting(caller, call, kind.as_deref(), errno)?,
        (Meaning::Chroot, Errno::EPERM) if !caller.has(CAP_SYS_CHROOT) => {
            format!("no CAP_SYS_CHROOT in {}, where you are", caller.place()).into()
        }
        (Meaning::Write { file, bytes }, errno) => setting(caller, file, bytes, errno)?,
        // `ptrace_attach` in kernel/ptrace.c.
        (Meaning::Ptrace, Errno::EPERM) => {
            "a task can have one tracer, and the recorder is it: run the program without recording"
                .into()
        }
        (Meaning::Exec(_), Errno::ENOENT) if caller.in_a_chroot() => {
            format!("there is no such file below {}, which is your root directory", caller.root)
                .into()
        }
        (Meaning::Exec(_), Errno::ENOENT) => {
            "there is no such file below your root directory, or its interpreter is missing".into()
        }
        (Meaning::Exec(_), Errno::EACCES) => {
            "you may not execute that file, or its mount is noexec".into()
        }
        (Meaning::Open, Errno::EACCES) => match &*call.arguments {
            [Argument::Text(file), ..] => opening(caller, file)?,
            _ => return None,
        },
        (Meaning::Other, errno) => of_an_object(caller, call, errno)?,
        _ => return None,
    };
    Some(reason.into_owned())
}

/// shmget(2): ipc/util.c and ipc/shm.c; mq_open(3): ipc/mqueue.c.
fn of_an_object(caller: &Caller, call: &Call, errno: Errno) -> Option<Reason> {
    Some(match (call.name, errno, &*call.arguments) {
        ("shmget", Errno::EEXIST, _) => {
            "there is a segment with this key already, and IPC_EXCL asks for a new one".into()
        }
        ("shmget", Errno::ENOENT, _) => {
            "there is no segment with this key, and IPC_CREAT is not among the flags".into()
        }
        ("shmget", Errno::EINVAL, [_, Argument::Number(0), ..]) => {
            "a segment has at least one byte".into()
        }
        ("shmget", Errno::EINVAL, _) => {
            "there is a segment with this key already, and it is smaller, or a new one would be \
             too large"
                .into()
        }
        ("mq_open", Errno::EEXIST, _) => {
            "there is a queue of this name already, and O_EXCL asks for a new one".into()
        }
        ("mq_open", Errno::ENOENT, [Argument::Text(name), Argument::Flags(flags)])
            if !name.is_empty() && !flags.iter().any(|flag| flag == "O_CREAT") =>
        {
            "there is no queue of this name, and O_CREAT is not among the flags".into()
        }
        ("mq_open", Errno::EACCES, [Argument::Text(name), ..]) if name.contains('/') => {
            "the name of a queue has one slash, at its start".into()
        }
        ("mq_open", Errno::EOVERFLOW, _) => format!(
            "the queue would belong to your ids, which are not mapped in {}",
            caller.place()
        )
        .into(),
        ("ioctl", Errno::ENODEV, _) => {
            "there is no interface of this name in the network namespace of the socket".into()
        }
        _ => return None,
    })
}

/// unshare(2) and clone(2).
fn creation(caller: &Caller, call: &Call, flags: u64, errno: Errno) -> Option<Reason> {
    let has = |kind: Kind| flags & kind.flag() as u64 != 0;
    let thread = flags & libc::CLONE_THREAD as u64 != 0;
    let elsewhere = caller.first_child_is_pid_1
        || caller.pid_for_children.is_some() && caller.pid_for_children != caller.pid_namespace;
    // `check_unshare_flags` comes first.
    let is_known = call.name != "unshare" || flags & !UNSHARE == 0;
    Some(match errno {
        // `copy_clone_args_from_user` in kernel/fork.c looks at the size before anything else.
        Errno::EINVAL if call.name == "clone3" && call.size < SMALLEST_CLONE_ARGS => format!(
            "the size of the struct is given as {}, and its first version had {SMALLEST_CLONE_ARGS} \
             bytes",
            call.size
        )
        .into(),
        // `create_new_namespaces` in kernel/nsproxy.c; with CLONE_NEWUSER the right comes first.
        Errno::EPERM if !has(Kind::User) && !caller.has(CAP_SYS_ADMIN) => format!(
            "no CAP_SYS_ADMIN in {}, where you are; without it you can make only a user namespace",
            caller.place()
        )
        .into(),
        // `create_user_ns` in kernel/user_namespace.c.
        Errno::EPERM if has(Kind::User) && caller.in_a_chroot() => {
            "a user namespace cannot be made in a chroot".into()
        }
        Errno::EPERM if has(Kind::User) => format!(
            "your ids are not mapped in {}, or a security module forbids new user namespaces",
            caller.place()
        )
        .into(),
        // `check_unshare_flags` in kernel/fork.c.
        Errno::EINVAL if call.name == "unshare" && has(Kind::User) && caller.threads > 1 => {
            caller.too_many_threads("move to a new user namespace")
        }
        // `copy_pid_ns` in kernel/pid_namespace.c.
        Errno::EINVAL if has(Kind::Pid) && elsewhere && is_known => {
            "your children are to be born in another PID namespace already".into()
        }
        // `copy_process` in kernel/fork.c.
        Errno::EINVAL if thread && elsewhere => {
            "your children are to be born in another PID namespace, and a thread must be in that of \
             its process"
                .into()
        }
        Errno::EINVAL if has(Kind::Mnt) && flags & libc::CLONE_FS as u64 != 0 => {
            "CLONE_NEWNS and CLONE_FS exclude each other".into()
        }
        Errno::EINVAL if call.name == "clone3" && flags & 0x7f != 0 => {
            "clone3 takes no signal in its flags: exit_signal is a field of its own".into()
        }
        // `clone3_args_valid` in kernel/fork.c.
        Errno::EINVAL
            if call.name == "clone3"
                && flags & (libc::CLONE_PARENT | libc::CLONE_THREAD) as u64 != 0
                && matches!(&*call.arguments, [_, Argument::Flags(signal)] if !signal.is_empty()) =>
        {
            "clone3 takes no exit_signal with CLONE_PARENT, whose child has your parent's, nor with \
             CLONE_THREAD, which has none"
                .into()
        }
        // `alloc_pid` in kernel/pid.c.
        Errno::ENOMEM if elsewhere || caller.pid_for_children.is_none() => {
            "the PID 1 of the PID namespace for your children has ended, so no process can be born \
             there any more"
                .into()
        }
        Errno::ENOSPC => {
            "a limit on namespaces is reached: /proc/sys/user/max_*_namespaces, or the depth of \
             their nesting"
                .into()
        }
        Errno::EINVAL if has(Kind::User) && flags & libc::CLONE_FS as u64 != 0 => {
            "CLONE_NEWUSER and CLONE_FS exclude each other".into()
        }
        Errno::EAGAIN => "a limit on processes is reached (RLIMIT_NPROC), or all pids are in use".into(),
        _ => return None,
    })
}

/// setns(2): `validate_nsset` in kernel/nsproxy.c, and the `install` function of each kind.
fn joining(caller: &Caller, fd: i32, kinds: u64, errno: Errno) -> Option<Reason> {
    let path = format!("/proc/{}/fd/{fd}", caller.pid);
    // A pidfd cannot be opened by its path.
    let target = Namespace::open(&path).ok();
    let link = fs::read_link(&path).unwrap_or_default().to_string_lossy().into_owned();
    let kind = link.split_once(":[").and_then(|(kind, _)| Kind::parse(kind));
    Some(match (errno, kind) {
        (Errno::EPERM, Some(kind)) if kind != Kind::User => {
            caller.lacks_admin(kind, target)?
        }
        (Errno::EPERM, None) => {
            "one of the namespaces of that process is owned by a user namespace in which you have no \
             CAP_SYS_ADMIN"
                .into()
        }
        (Errno::EINVAL, Some(kind)) if kinds != 0 && kinds != kind.flag() as u64 => {
            format!("the descriptor is one of a {kind} namespace").into()
        }
        (Errno::EBADF, _) if fd == -1 => "-1 is what a call returns that has failed".into(),
        (Errno::EBADF, _) if link.is_empty() => {
            format!("{fd} is not the number of an open descriptor").into()
        }
        // A pidfd shows as `anon_inode:[pidfd]`, or as `pidfd:[1]`.
        (Errno::EINVAL, None) if !link.is_empty() && !link.contains("[pidfd]") && !link.starts_with("pidfd:") => {
            "the descriptor is neither one of a namespace nor a pidfd".into()
        }
        (Errno::EINVAL, None) if kinds == 0 => {
            "a pidfd stands for all namespaces of its process: choose some of them by flags".into()
        }
        (Errno::EINVAL, Some(Kind::User)) if target.is_some() && caller.own(Kind::User) == target => {
            "you are in that user namespace already".into()
        }
        (Errno::EINVAL, Some(Kind::User)) if caller.threads > 1 => {
            caller.too_many_threads("join a user namespace")
        }
        // `mntns_install` in fs/namespace.c.
        (Errno::EINVAL, Some(Kind::Mnt) | None)
            if caller.threads > 1
                && (kind.is_some() || kinds & libc::CLONE_NEWNS as u64 != 0) =>
        {
            // The kernel asks for a root directory of the thread's own.
            format!(
                "the {} threads of the process share a root directory, and a thread that shares it \
                 cannot join a mount namespace until unshare(CLONE_FS) gives it one of its own",
                caller.threads
            )
            .into()
        }
        (Errno::EINVAL, Some(Kind::Pid)) => {
            "a process can join only PID namespaces below its own".into()
        }
        (Errno::EUSERS, _) => caller.too_many_threads("join a time namespace"),
        (Errno::ESRCH, _) => "that process has ended".into(),
        _ => return None,
    })
}

/// mount(2), umount2(2), pivot_root(2) and their newer relatives: fs/namespace.c.
fn mounting(caller: &Caller, call: &Call, new: Option<&str>, errno: Errno) -> Option<Reason> {
    let may_mount = caller.owns(Kind::Mnt) && caller.has(CAP_SYS_ADMIN);
    Some(match (call.name, errno) {
        (_, Errno::EPERM) if !may_mount => caller.lacks_admin(Kind::Mnt, caller.own(Kind::Mnt))?,
        ("mount", Errno::EPERM) if call.flag(3, "MS_REMOUNT") => remounting(caller, call)?,
        ("mount" | "fsopen" | "fsconfig" | "fsmount", Errno::EPERM) => {
            let owned = match new? {
                "proc" => Kind::Pid,
                "sysfs" => Kind::Net,
                "mqueue" => Kind::Ipc,
                "cgroup2" | "cgroup" => Kind::Cgroup,
                "tmpfs" | "ramfs" | "devpts" | "overlay" => return None,
                other => {
                    return Some(format!("only the machine's root may mount a new {other}").into());
                }
            };
            if caller.owns(owned) {
                // The kernel compares a new one with those that are mounted only for these two.
                match new? {
                    "proc" | "sysfs" => "a new one would show more than is mounted here, because there is none, or \
                                         parts of it are hidden (`mount_too_revealing`)"
                        .into(),
                    "cgroup" => "a hierarchy of cgroups v1 that is not there yet can be made only in the cgroup \
                                 namespace of the machine"
                        .into(),
                    _ => return None,
                }
            } else {
                caller.lacks_admin(owned, caller.own(owned))?
            }
        }
        ("mount", Errno::EINVAL) if new.is_none() => mounting_nothing_new(call)?,
        ("umount2", Errno::EINVAL) => NO_MOUNT_POINT.into(),
        ("umount2", Errno::EBUSY) => unmounting(caller, call),
        ("pivot_root", Errno::EINVAL) => pivoting(caller, call).unwrap_or(
            "the new root is not a mount point, its parent or that of the old root is shared, the \
             place for the old root is not below the new one, or the mount at the new root is locked, \
             as it came from the mount namespace of another user namespace"
                .into(),
        ),
        ("pivot_root", Errno::EBUSY) => {
            "the new root, or the place for the old one, is on your present root mount".into()
        }
        ("mount", Errno::ENOENT) => missing_path(caller, call),
        ("mount", Errno::ENOTDIR) if !call.flag(3, "MS_REMOUNT") => {
            "only a directory can be mounted on a directory, and only a file on a file; or a path goes \
             on below a file"
                .into()
        }
        (_, Errno::ENOENT) => "one of the paths does not exist".into(),
        (_, Errno::ENODEV) => "this kernel does not have that type of file system".into(),
        _ => return None,
    })
}

/// A remount that is forbidden although the caller may mount: `do_reconfigure_mnt` and `do_remount` in
/// fs/namespace.c.
fn remounting(caller: &Caller, call: &Call) -> Option<Reason> {
    if !call.flag(3, "MS_BIND") {
        return Some(
            "without MS_BIND the remount is one of the file system, for all its mounts, and the file \
             system belongs to another user namespace"
                .into(),
        );
    }
    let Some(Argument::Text(path)) = call.arguments.get(1) else { return None };
    let mounts = mounts_of(caller)?;
    let mount = mounts.iter().rfind(|mount| mount.point == *path)?;
    let has = |option: &str| mount.options.split(',').any(|it| it == option);
    let locked = [
        ("ro", "MS_RDONLY"),
        ("nosuid", "MS_NOSUID"),
        ("nodev", "MS_NODEV"),
        ("noexec", "MS_NOEXEC"),
    ];
    let cleared = locked.into_iter().filter(|(option, flag)| has(option) && !call.flag(3, flag));
    let cleared: Vec<_> = cleared.map(|(_, flag)| flag).collect();
    (!cleared.is_empty()).then(|| {
        format!(
            "a remount clears the flags that it does not name, and the mount has {}, locked by the \
             mount namespace from which it came",
            cleared.join(" and ")
        )
        .into()
    })
}

/// The id of the mount to which a path of a call leads, and whether the path is where it is mounted.
fn mount_at(caller: &Caller, call: &Call, index: usize) -> Option<(bool, u64)> {
    let Some(Argument::Text(path)) = call.arguments.get(index) else { return None };
    let start = if path.starts_with('/') { "root" } else { "cwd" };
    let path = format!("/proc/{}/{start}/{path}", caller.pid);
    let flags = OFlag::O_PATH | OFlag::O_CLOEXEC;
    let file = fcntl::open(path.as_str(), flags, Mode::empty()).ok()?;
    let id = mount_of(&format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok()?;
    Some((is_mount_point(&file)?, id))
}

fn mounts_of(caller: &Caller) -> Option<Vec<Mount>> {
    Some(mounts::parse(&text_of(format!("/proc/{}/mountinfo", caller.pid)).ok()?))
}

/// umount2(2) with `EBUSY`: `do_umount` in fs/namespace.c.
fn unmounting(caller: &Caller, call: &Call) -> Reason {
    let has_mounts_below = || {
        let (_, id) = mount_at(caller, call, 0)?;
        Some(mounts_of(caller)?.iter().any(|mount| mount.parent == id))
    };
    match has_mounts_below() {
        Some(true) => "other mounts lie on it, and without MNT_DETACH only one is unmounted".into(),
        _ => "a process has an open file or its working directory there".into(),
    }
}

/// Which condition of pivot_root(2) with `EINVAL` is not met, for those that can be looked at:
/// `path_pivot_root` in fs/namespace.c.
fn pivoting(caller: &Caller, call: &Call) -> Option<Reason> {
    let (is_mount, new) = mount_at(caller, call, 0)?;
    if !is_mount {
        return Some("the new root is a plain directory and not a mount point".into());
    }
    let mounts = mounts_of(caller)?;
    let is_shared =
        |id: u64| mounts.iter().any(|mount| mount.id == id && mount.propagation.shared.is_some());
    let parent = mounts.iter().find(|mount| mount.id == new)?.parent;
    if is_shared(parent) {
        return Some("the mount that the new root lies on is shared".into());
    }
    let (_, old) = mount_at(caller, call, 1)?;
    is_shared(old).then(|| "the mount on which the old root would be put is shared".into())
}

/// Whether this is the root of a mount; `None` if the kernel does not say so (before Linux 5.8).
fn is_mount_point(file: &OwnedFd) -> Option<bool> {
    const MOUNT_ROOT: u64 = libc::STATX_ATTR_MOUNT_ROOT as u64;
    // SAFETY: zero is valid for each field.
    let mut found: libc::statx = unsafe { std::mem::zeroed() };
    let empty = c"".as_ptr();
    // SAFETY: the path is a C string, and the kernel fills one struct of this type.
    let done =
        unsafe { libc::statx(file.as_raw_fd(), empty, libc::AT_EMPTY_PATH, 0, &raw mut found) };
    let is_known = done == 0 && found.stx_attributes_mask & MOUNT_ROOT != 0;
    is_known.then_some(found.stx_attributes & MOUNT_ROOT != 0)
}

/// Which of the two paths of mount(2) does not exist.
fn missing_path(caller: &Caller, call: &Call) -> Reason {
    let is_missing = |at: usize| match call.arguments.get(at) {
        Some(Argument::Text(path)) if path.starts_with('/') && !path.ends_with('…') => {
            let path = format!("/proc/{}/root{path}", caller.pid);
            fs::symlink_metadata(path).is_err_and(|error| error.kind() == ErrorKind::NotFound)
        }
        _ => false,
    };
    match (is_missing(0), is_missing(1)) {
        // Without MS_BIND the first text need not be a path.
        (true, false) if call.flag(3, "MS_BIND") => "the first path does not exist".into(),
        (false, true) => "the second path, on which to mount, does not exist".into(),
        _ => "one of the paths does not exist".into(),
    }
}

/// mount(2) with `EINVAL` where no file system of a known type was asked for: `path_mount` in
/// fs/namespace.c.
fn mounting_nothing_new(call: &Call) -> Option<Reason> {
    const PROPAGATION: [&str; 4] = ["MS_SHARED", "MS_PRIVATE", "MS_SLAVE", "MS_UNBINDABLE"];
    let Some(Argument::Flags(flags)) = call.arguments.get(3) else { return None };
    let has = |name: &str| flags.iter().any(|flag| flag == name);
    if has("MS_REMOUNT") {
        return Some(NO_MOUNT_POINT.into());
    }
    if has("MS_BIND") && matches!(call.arguments.first(), Some(Argument::Null)) {
        return Some(
            "MS_BIND comes before the other flags, and a bind mount needs a source, the first argument"
                .into(),
        );
    }
    if has("MS_BIND") || has("MS_MOVE") {
        // There are more reasons than the recorder can tell apart.
        return None;
    }
    let propagation = PROPAGATION.iter().filter(|name| has(name)).count();
    let names_a_type = matches!(
        call.arguments.get(2),
        Some(Argument::Text(kind)) if !["", "none"].contains(&kind.as_str())
    );
    let others = flags.iter().any(|flag| {
        !PROPAGATION.contains(&flag.as_str()) && !["MS_REC", "MS_SILENT"].contains(&flag.as_str())
    });
    Some(match (propagation, others) {
        (0, _) => "a new mount needs the type of a file system, the third argument".into(),
        (1, false) if names_a_type => {
            let flag = PROPAGATION.into_iter().find(|name| has(name))?;
            format!(
                "with {flag} nothing new is mounted, whatever the type: the propagation of the mount at \
                 that path is changed, and the path is not a mount point"
            )
            .into()
        }
        (1, false) => "the path is not a mount point".into(),
        _ => {
            "a call that changes the propagation takes one of MS_SHARED, MS_PRIVATE, MS_SLAVE and \
              MS_UNBINDABLE, and beside it nothing but MS_REC and MS_SILENT"
                .into()
        }
    })
}

const NO_MOUNT_POINT: &str = "the path is not a mount point, or its mount is locked, as it came \
                              from the mount namespace of another user namespace";

/// The rule for a writer without privilege over the ids outside, and how the line breaks it. `None` if it
/// maps one id, which is the caller's own: such a line is refused for other reasons. A caller without a map
/// has no number here, and then the reason is the rule and what the line has.
fn not_your_own_id(caller: &Caller, file: &str, line: &str) -> Option<Reason> {
    let fields: Vec<u32> = line.split_ascii_whitespace().map_while(|it| it.parse().ok()).collect();
    let &[inside, outside, length] = &fields[..] else { return None };
    let status = Fields::status(caller.pid);
    let key = if file == "uid_map" { "Uid" } else { "Gid" };
    let own: Option<u32> = status.and_then(|status| status.number(key));
    // As the caller sees it: by the map of its own user namespace.
    let map = text_of(format!("/proc/{}/{file}", caller.pid)).unwrap_or_default();
    let own = own.and_then(|own| {
        let mut ranges = ranges_in(&map).into_iter();
        let range = ranges.find(|[_, outside, length]| (*outside..outside + length).contains(&own));
        range.map(|[inside, outside, _]| inside + (own - outside))
    });
    let what = match own {
        _ if length != 1 => format!("this line has length {length}"),
        Some(own) if own == outside => return None,
        Some(own) if own == inside => {
            format!("yours is {own}, which this line has in the place of the id inside")
        }
        Some(own) => format!("yours is {own}, and this line has {outside} for the id outside"),
        None if outside == NOT_MAPPED => {
            format!("{NOT_MAPPED} is what a process reads whose own id is not mapped")
        }
        // Root's own line, which is refused without CAP_SETFCAP.
        None if [inside, outside] == [0, 0] => return None,
        None => {
            format!("this line has {outside} for the id outside, and {inside} for the one inside")
        }
    };
    let rule = "without privilege over the ids outside, the only id that can be mapped is your own, \
                with length 1";
    Some(format!("{rule}; {what}").into())
}

/// What getuid(2) returns for an id that is not mapped: `/proc/sys/kernel/overflowuid`, as long as it has
/// not been changed.
const NOT_MAPPED: u32 = 65534;

/// What is wrong with the first line that is not three numbers.
fn not_three_numbers(text: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let odd = fields.iter().find(|field| field.parse::<u32>().is_err());
        match (fields.len(), odd) {
            (_, Some(odd)) => Some(format!("{odd:?} is not a number")),
            (3, None) => None,
            (0, None) => Some("this one has no number".to_owned()),
            (1, None) => Some("this one has a single number".to_owned()),
            (count, None) => Some(format!("this line has {count} numbers")),
        }
    })
}

/// Why offsets are invalid: `timens_offsets_write` in kernel/time/namespace.c, which looks at two lines.
fn offsets(text: &str) -> Option<&'static str> {
    const WHOLE: &str = "one write(2) must carry whole lines: clock, seconds, nanoseconds";
    text.lines().take(2).find_map(|line| {
        let fields: Vec<_> = line.split_ascii_whitespace().collect();
        let [clock, seconds, nanoseconds, ..] = fields.as_slice() else { return Some(WHOLE) };
        match (seconds.parse::<i64>(), nanoseconds.parse::<u64>()) {
            _ if !["monotonic", "boottime", "1", "7"].contains(clock) => {
                Some("only the clocks monotonic and boottime have an offset")
            }
            (Err(_), _) | (_, Err(_)) => Some(WHOLE),
            (_, Ok(1_000_000_000..)) => Some("a second has fewer than 1000000000 nanoseconds"),
            _ => None,
        }
    })
}

/// The process that a file in `/proc/PID` is about. The path is the caller's, and so is its number.
fn owner_of<'a>(caller: &'a Caller, file: &str) -> Option<&'a Numbered> {
    let number = file.rsplit('/').nth(1).and_then(|number| number.parse().ok());
    caller.tasks.iter().find(|task| Some(task.number) == number)
}

/// That the process which a file in `/proc/PID` is about, another one than the caller, is still in the
/// user namespace in which the program was started.
fn not_moved_yet(caller: &Caller, file: &str) -> Option<String> {
    let owner = owner_of(caller, file).filter(|owner| owner.pid != caller.pid)?;
    let user = owner.user.filter(|user| *user == NamespaceId::FIRST_USER)?;
    Some(format!("process {} is in {user} and has not moved yet", owner.number))
}

/// Opens setgroups, uid_map and gid_map: `proc_setgroups_open` and `task_dump_owner` in fs/proc/base.c.
fn opening(caller: &Caller, file: &str) -> Option<Reason> {
    let (folder, name) = file.rsplit_once('/')?;
    if !["setgroups", "uid_map", "gid_map"].contains(&name) {
        return None;
    }
    let number = folder.rsplit_once('/')?.1;
    let is_own = number == "self" || owner_of(caller, file).is_some_and(|it| it.pid == caller.pid);
    if is_own && name == "setgroups" && caller.user == Some(NamespaceId::FIRST_USER) {
        let place = caller.place();
        return Some(format!("it belongs to {place}, in which you have no CAP_SYS_ADMIN").into());
    }
    // The number is one of the caller's `/proc`.
    let stat = text_of(format!("/proc/{}/root{folder}/stat", caller.pid)).unwrap_or_default();
    if Stat::parse(&stat).is_some_and(|stat| stat.has_ended()) {
        let why = "has ended, and has not been waited for: its files belong to root";
        return Some(format!("process {number} {why}").into());
    }
    (name == "setgroups").then(|| not_moved_yet(caller, file))?.map(Into::into)
}

/// Writes to uid_map and its like: `map_write` and `proc_setgroups_write` in
/// kernel/user_namespace.c, `timens_offsets_write` in kernel/time/namespace.c.
fn setting(caller: &Caller, file: &str, bytes: &[u8], errno: Errno) -> Option<Reason> {
    let name = file.rsplit_once('/')?.1;
    let text = String::from_utf8_lossy(bytes);
    let owner = owner_of(caller, file);
    let now = |file: &str| text_of(format!("/proc/{}/{file}", owner?.pid)).ok();
    Some(match (name, errno) {
        ("uid_map" | "gid_map", Errno::EINVAL)
            if not_three_numbers(&text).is_none()
                && text.lines().any(|line| line.split_ascii_whitespace().nth(2) == Some("0")) =>
        {
            "a length of 0, the third number, maps no id".into()
        }
        ("uid_map" | "gid_map", Errno::EINVAL) => format!(
            "one write(2) must carry whole lines of three numbers: first id inside, first id \
             outside, length; {}",
            not_three_numbers(&text)?
        )
        .into(),
        ("uid_map" | "gid_map", Errno::EPERM) if now(name).is_some_and(|map| !map.is_empty()) => {
            match owner.and_then(|owner| owner.user) {
                Some(user @ NamespaceId::FIRST_USER) => format!(
                    "it belongs to {user}, where your program was started, and has been written \
                     before{}",
                    not_moved_yet(caller, file).map_or_else(String::new, |it| format!("; {it}"))
                )
                .into(),
                _ => "a map can be written once, and this one has been written before".into(),
            }
        }
        ("gid_map", Errno::EPERM) if now("setgroups").is_some_and(|now| now.trim() == "allow") => {
            "without privilege over the ids outside, \"deny\" must be written to setgroups first"
                .into()
        }
        ("uid_map" | "gid_map", Errno::EPERM) if text.lines().count() > 1 => {
            "without privilege over the ids outside, a map has one line".into()
        }
        ("uid_map" | "gid_map", Errno::EPERM) => not_your_own_id(caller, name, &text)?,
        ("setgroups", Errno::EINVAL) if !["allow", "deny"].contains(&text.trim_end()) => {
            "the file takes \"deny\" or \"allow\", and no other word".into()
        }
        ("setgroups", Errno::EPERM) if text.trim_end() == "allow" => {
            "setgroups(2) was denied there before, and cannot be allowed again".into()
        }
        ("setgroups", Errno::EPERM) => not_moved_yet(caller, file)
            .unwrap_or_else(|| {
                "setgroups(2) cannot be denied any more, as gid_map has been written".to_owned()
            })
            .into(),
        ("timens_offsets", Errno::EINVAL) => offsets(&text)?.into(),
        ("timens_offsets", Errno::ERANGE) => {
            "with that offset the clock would show a time before 0, or one too late".into()
        }
        ("timens_offsets", Errno::EACCES) => {
            "a process is in that time namespace already, so its offsets are fixed".into()
        }
        ("timens_offsets", Errno::EPERM) => {
            "no CAP_SYS_TIME in the user namespace that owns the time namespace".into()
        }
        _ => return None,
    })
}
