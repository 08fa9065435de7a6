//! The calls of a trace, a row for each, and how they are read at their entry.

use std::ffi::c_long;
use std::path::Path;

use nix::unistd::Pid;

use super::ptrace;
use crate::sys;
use trace::Argument;

/// A call at its entry.
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) arguments: Vec<Argument>,
    pub(super) meaning: Meaning,
    /// For clone3 how large the caller says that its struct is, otherwise 0.
    pub(super) size: u64,
}

impl Call {
    /// Whether the argument with this index is a set of flags with this one in it.
    pub(super) fn flag(&self, index: usize, name: &str) -> bool {
        matches!(self.arguments.get(index), Some(Argument::Flags(flags)) if flags.iter().any(|it| it == name))
    }
}

/// What the recorder has to know of a call to see what it changes, or why it failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// clone and its like: `CLONE_*`.
    Child(u64),
    Unshare(u64),
    Setns {
        fd: i32,
        kinds: u64,
    },
    /// The last component of the program's path.
    Exec(String),
    /// The mount family, with the type of the file system if a new one was asked for.
    Mounts(Option<String>),
    Chroot,
    Socket,
    HostName(String),
    /// One of the files that a trace follows was opened for writing.
    Open,
    /// Bytes for such a file.
    Write {
        file: String,
        bytes: Vec<u8>,
    },
    Ptrace,
    Other,
}

/// A call that a filter stops at.
struct Row {
    number: c_long,
    name: &'static str,
    /// How its words are read, from the first one on.
    shapes: &'static [Shape],
    /// `None` where the trace does without the call.
    meaning: fn(&Words, &[Argument]) -> Option<Meaning>,
}

/// The arguments of a call as numbers. [`words`] brings calls of one kind into one form.
type Words = [u64; 6];

/// How one word of a call is read.
#[derive(Clone, Copy)]
enum Shape {
    Number,
    /// One of these constants.
    Constant(Names),
    /// Some of these bits.
    Flags(Names),
    /// Flags of clone(2); the next word is the signal at the child's end.
    Child,
    /// Flags of clone3(2), which has a field for the signal. One among the flags is a mistake.
    ChildFlags,
    Signal,
    Descriptor,
    /// The address of a C string.
    Text,
    /// The address of as many bytes as the next word says, at most 64.
    HostName,
    /// The address of a list of C strings.
    Texts,
}

type Names = &'static [(u64, &'static str)];

/// Constants of libc with their names, and others.
macro_rules! names {
    ($($name:ident),*; $($value:expr => $other:expr),* $(,)?) => {
        &[$((libc::$name as u64, stringify!($name)),)* $(($value, $other),)*]
    };
}

use Shape::{
    Child, ChildFlags, Constant, Descriptor, Flags, HostName, Number, Signal, Text, Texts,
};

/// The calls that a filter stops at whatever their arguments are. On some architectures a few have
/// only their newer form.
const CALLS: &[Row] = &[
    row(libc::SYS_clone, "clone", &[Child], |words, _| Some(Meaning::Child(words[0]))),
    row(libc::SYS_clone3, "clone3", &[ChildFlags, Signal], |words, _| {
        Some(Meaning::Child(words[0]))
    }),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_fork, "fork", &[], |_, _| Some(Meaning::Child(0))),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_vfork, "vfork", &[], |_, _| Some(Meaning::Child(0))),
    row(libc::SYS_unshare, "unshare", &[Flags(CLONE)], |words, _| Some(Meaning::Unshare(words[0]))),
    row(libc::SYS_setns, "setns", &[Descriptor, Flags(CLONE)], |words, _| {
        Some(Meaning::Setns { fd: words[0] as i32, kinds: words[1] })
    }),
    row(libc::SYS_execve, "execve", &[Text, Texts], |_, arguments| executes(&arguments[0])),
    row(libc::SYS_execveat, "execveat", &[Descriptor, Text], |_, arguments| {
        executes(&arguments[1])
    }),
    row(libc::SYS_mount, "mount", &[Text, Text, Text, Flags(MOUNT), Text], |words, arguments| {
        let known = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_MOVE | PROPAGATION;
        Some(Meaning::Mounts(text_in(&arguments[2]).filter(|_| words[3] & sys::wide(known) == 0)))
    }),
    row(libc::SYS_umount2, "umount2", &[Text, Flags(UMOUNT)], mounts),
    row(libc::SYS_pivot_root, "pivot_root", &[Text, Text], mounts),
    row(libc::SYS_chroot, "chroot", &[Text], |_, _| Some(Meaning::Chroot)),
    row(libc::SYS_open_tree, "open_tree", &[Descriptor, Text, Flags(OPEN_TREE)], mounts),
    row(libc::SYS_move_mount, "move_mount", &[Descriptor, Text, Descriptor, Text], mounts),
    row(libc::SYS_fsopen, "fsopen", &[Text], |_, arguments| {
        Some(Meaning::Mounts(text_in(&arguments[0])))
    }),
    row(libc::SYS_fsconfig, "fsconfig", &[Descriptor], mounts),
    row(libc::SYS_fsmount, "fsmount", &[Descriptor], mounts),
    row(libc::SYS_mount_setattr, "mount_setattr", &[Descriptor, Text], mounts),
    row(libc::SYS_sethostname, "sethostname", &[HostName], |_, arguments| {
        text_in(&arguments[0]).map(Meaning::HostName)
    }),
    row(libc::SYS_setdomainname, "setdomainname", &[HostName], |_, _| Some(Meaning::Other)),
    // The kernel of i686 has them, too, but its C library calls ipc(2).
    #[cfg(not(target_arch = "x86"))]
    row(libc::SYS_shmget, "shmget", &[Number, Number, Flags(SEGMENT)], |_, _| Some(Meaning::Other)),
    #[cfg(not(target_arch = "x86"))]
    row(libc::SYS_shmat, "shmat", &[Number], |_, _| Some(Meaning::Other)),
    // The other commands change nothing that matters here.
    #[cfg(not(target_arch = "x86"))]
    row(libc::SYS_shmctl, "shmctl", &[Number, Constant(CONTROL)], |words, _| {
        (words[1] == libc::IPC_RMID as u64).then_some(Meaning::Other)
    }),
    // The C library takes the slash away.
    row(libc::SYS_mq_open, "mq_open", &[Text, Flags(QUEUE)], |_, _| Some(Meaning::Other)),
    // The requests of ioctl_ns(2) and of a pidfd only ask. Many of their errors are the answer, such as EPERM
    // at the end of the way up, and would look like a failure that the program ignores.
    row(
        libc::SYS_ioctl,
        "ioctl",
        &[Descriptor, Constant(REQUEST), Text, Flags(INTERFACE)],
        |words, _| (words[1] == SET_FLAGS).then_some(Meaning::Other),
    ),
    // Signal 0 only asks whether the process is there.
    row(
        libc::SYS_pidfd_send_signal,
        "pidfd_send_signal",
        &[Descriptor, Constant(SIGNALS)],
        |words, _| (words[1] as i32 != 0).then_some(Meaning::Other),
    ),
    row(libc::SYS_ptrace, "ptrace", &[Constant(PTRACE), Number], |_, _| Some(Meaning::Ptrace)),
    // The other operations only ask what the kernel has.
    row(libc::SYS_seccomp, "seccomp", &[Constant(SECCOMP), Flags(FILTER)], |words, _| {
        (words[0] <= 1).then_some(Meaning::Other)
    }),
];

/// Those that it stops at when they open a file for writing. Only a few files matter.
const OPENINGS: &[Row] = &[
    row(libc::SYS_openat, "open", &[Text, Constant(OPEN)], opens),
    row(libc::SYS_openat2, "open", &[Text, Constant(OPEN)], opens),
    #[cfg(target_arch = "x86_64")]
    row(libc::SYS_open, "open", &[Text, Constant(OPEN)], opens),
];

/// One that it stops at for these families of addresses only ([`DOMAINS`]).
const SOCKETS: &[Row] =
    &[row(libc::SYS_socket, "socket", &[Constant(FAMILY), Constant(TYPE)], |_, _| {
        Some(Meaning::Socket)
    })];

/// The families of the internet.
pub(super) const DOMAINS: [i32; 2] = [libc::AF_INET, libc::AF_INET6];

const fn row(
    number: c_long,
    name: &'static str,
    shapes: &'static [Shape],
    meaning: fn(&Words, &[Argument]) -> Option<Meaning>,
) -> Row {
    Row { number, name, shapes, meaning }
}

fn mounts(_: &Words, _: &[Argument]) -> Option<Meaning> {
    Some(Meaning::Mounts(None))
}

fn opens(_: &Words, arguments: &[Argument]) -> Option<Meaning> {
    text_in(&arguments[0]).filter(|path| is_followed(path)).map(|_| Meaning::Open)
}

fn executes(path: &Argument) -> Option<Meaning> {
    let path = text_in(path).unwrap_or_default();
    let name = Path::new(&path).file_name().map(|name| name.to_string_lossy().into_owned());
    Some(Meaning::Exec(name.unwrap_or(path)))
}

fn text_in(argument: &Argument) -> Option<String> {
    match argument {
        Argument::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// The numbers of the calls to stop at, whatever their arguments are.
pub(super) fn numbers() -> impl Iterator<Item = c_long> {
    CALLS.iter().map(|row| row.number)
}

/// The longest path (`PATH_MAX`), and as much as is read of anything else.
const LONGEST: usize = 4096;

/// The files of /proc and of cgroups whose writing is part of a trace.
const FOLLOWED: [&str; 9] = [
    "uid_map",
    "gid_map",
    "setgroups",
    "timens_offsets",
    "cgroup.procs",
    "cgroup.subtree_control",
    "pids.max",
    "memory.max",
    "ip_forward",
];

/// Whether a trace follows what is written to this path.
pub(super) fn is_followed(path: &str) -> bool {
    Path::new(path).file_name().is_some_and(|name| FOLLOWED.iter().any(|known| name == *known))
}

/// Whether a task has such a file open.
pub(super) fn has_a_followed_file(pid: Pid) -> bool {
    let entries = std::fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten();
    let mut links = entries.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    links.any(|link| is_followed(&link.to_string_lossy()))
}

/// A call that the filter has stopped. `None` where the trace does without it.
pub(super) fn decode(pid: Pid, number: c_long, registers: &[u64; 6]) -> Option<Call> {
    let row = CALLS.iter().chain(OPENINGS).chain(SOCKETS).find(|row| row.number == number)?;
    let words = words(pid, number, registers);
    let arguments = row.shapes.iter().enumerate().map(|(at, shape)| shape.read(pid, &words[at..]));
    let mut arguments: Vec<Argument> = arguments.collect();
    let meaning = (row.meaning)(&words, &arguments)?;
    arguments.iter_mut().for_each(Argument::shorten);
    let size = if number == libc::SYS_clone3 { registers[1] } else { 0 };
    Some(Call { name: row.name, arguments, meaning, size })
}

/// For clone the flags and the signal, for open the path and the access mode, for a socket its type
/// without flags; else the registers.
fn words(pid: Pid, number: c_long, registers: &[u64; 6]) -> Words {
    let [a, b, c, ..] = *registers;
    let (first, second) = match number {
        libc::SYS_clone => (a & !0xff, a & 0xff),
        libc::SYS_clone3 => {
            let words = integers(&ptrace::read(pid, a, 40));
            let word = |index: usize| words.get(index).copied().unwrap_or_default();
            (word(0), word(4))
        }
        libc::SYS_ioctl if b == SET_FLAGS => {
            let flags = ptrace::read(pid, c + libc::IFNAMSIZ as u64, 2);
            let flags = flags.try_into().map_or(0, u16::from_ne_bytes);
            return [a, b, c, flags.into(), 0, 0];
        }
        libc::SYS_ioctl => return [a, b, 0, 0, 0, 0],
        libc::SYS_socket => (a, b & !(libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK) as u64),
        libc::SYS_openat => (b, access(c)),
        libc::SYS_openat2 => (b, access(*integers(&ptrace::read(pid, c, 8)).first().unwrap_or(&0))),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => (a, access(b)),
        _ => return *registers,
    };
    [first, second, 0, 0, 0, 0]
}

fn access(flags: u64) -> u64 {
    let both = flags & libc::O_RDWR as u64 != 0;
    if both { libc::O_RDWR as u64 } else { libc::O_WRONLY as u64 }
}

impl Shape {
    fn read(self, pid: Pid, words: &[u64]) -> Argument {
        let word = words[0];
        match self {
            Number => Argument::Number((word as i32).into()),
            Constant(names) => {
                let name = names.iter().find(|(value, _)| *value == word);
                let name = name.map_or(format!("{word:#x}"), |(_, name)| (*name).to_owned());
                Argument::Flags(vec![name])
            }
            Flags(names) => Argument::Flags(bits(word, names)),
            Child => Argument::Flags(child_flags(word, words[1])),
            ChildFlags => Argument::Flags(child_flags(word & !0xff, word & 0xff)),
            Signal => Argument::Flags(child_flags(0, word)),
            Descriptor => Argument::Descriptor { number: word as i32, target: None },
            Text if word == 0 => Argument::Null,
            Text => Argument::Text(text(pid, word)),
            HostName => {
                let bytes = ptrace::read(pid, word, (words[1] as usize).min(64));
                Argument::Text(String::from_utf8_lossy(&bytes).into_owned())
            }
            Texts => {
                let pointers = integers(&ptrace::read(pid, word, 16 * 8));
                let texts = pointers.into_iter().take_while(|pointer| *pointer != 0);
                Argument::Texts(texts.map(|pointer| text(pid, pointer)).collect())
            }
        }
    }
}

/// A write, if its descriptor is one of the files that a trace follows. Only tasks that have
/// opened such a file are asked.
pub(super) fn decode_write(pid: Pid, number: c_long, registers: &[u64; 6]) -> Option<Call> {
    let [fd, address, length, ..] = *registers;
    let name = match number {
        libc::SYS_write => "write",
        libc::SYS_pwrite64 => "pwrite64",
        libc::SYS_writev => "writev",
        _ => return None,
    };
    let file = std::fs::read_link(format!("/proc/{pid}/fd/{}", fd as i32)).ok()?;
    let file = file.to_string_lossy().into_owned();
    if !is_followed(&file) {
        return None;
    }
    let read = |address, length: u64| ptrace::read(pid, address, (length as usize).min(LONGEST));
    let bytes = if number == libc::SYS_writev {
        let vectors = integers(&ptrace::read(pid, address, (length as usize).min(64) * 16));
        let each = vectors.chunks_exact(2).map(|vector| read(vector[0], vector[1]));
        each.flatten().take(LONGEST).collect()
    } else {
        read(address, length)
    };
    let texts = [file.clone(), String::from_utf8_lossy(&bytes).into_owned()];
    let mut arguments = texts.map(Argument::Text).to_vec();
    arguments.iter_mut().for_each(Argument::shorten);
    Some(Call { name, arguments, meaning: Meaning::Write { file, bytes }, size: 0 })
}

/// Every `CLONE_NEW*`.
pub(super) const NAMESPACES: u64 = 0x7e02_0080;

/// What the C library asks for in order to keep its own books says nothing about the child.
const BOOKKEEPING: u64 = (libc::CLONE_CHILD_CLEARTID | libc::CLONE_CHILD_SETTID) as u64;

fn child_flags(flags: u64, signal: u64) -> Vec<String> {
    let thread = libc::CLONE_THREAD as u64;
    let shown = if flags & thread == 0 { !BOOKKEEPING } else { thread | NAMESPACES };
    let mut all = bits(flags & shown, CLONE);
    match signal as i32 {
        _ if flags & thread != 0 => {}
        0 => {}
        libc::SIGCHLD => all.push("SIGCHLD".to_owned()),
        other => all.push(format!("signal {other}")),
    }
    all
}

/// Kinds of namespaces first, in the order of [`trace::Kind::ALL`].
const CLONE: Names = names![
    CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWUTS, CLONE_NEWIPC,
    CLONE_NEWCGROUP, CLONE_NEWTIME, CLONE_VM, CLONE_FS, CLONE_FILES, CLONE_SIGHAND, CLONE_PIDFD,
    CLONE_VFORK, CLONE_PARENT, CLONE_THREAD, CLONE_SYSVSEM, CLONE_SETTLS, CLONE_PARENT_SETTID,
    CLONE_CHILD_CLEARTID, CLONE_CHILD_SETTID, CLONE_UNTRACED;
    // libc has it in an int, which is too short.
    0x2_0000_0000 => "CLONE_INTO_CGROUP",
];

const PROPAGATION: libc::c_ulong =
    libc::MS_SHARED | libc::MS_PRIVATE | libc::MS_SLAVE | libc::MS_UNBINDABLE;

const MOUNT: Names = names![
    MS_REC, MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE, MS_BIND, MS_MOVE, MS_REMOUNT,
    MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, MS_RELATIME, MS_STRICTATIME, MS_SILENT;
];

const UMOUNT: Names = names![MNT_FORCE, MNT_DETACH, MNT_EXPIRE, UMOUNT_NOFOLLOW;];

const OPEN_TREE: Names = names![OPEN_TREE_CLONE, AT_RECURSIVE, OPEN_TREE_CLOEXEC, AT_EMPTY_PATH;];

const SECCOMP: Names = names![SECCOMP_SET_MODE_STRICT, SECCOMP_SET_MODE_FILTER;];

const FILTER: Names = names![
    SECCOMP_FILTER_FLAG_TSYNC, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_NEW_LISTENER;
];

#[cfg(not(target_arch = "x86"))]
const SEGMENT: Names = names![IPC_CREAT, IPC_EXCL;];

#[cfg(not(target_arch = "x86"))]
const CONTROL: Names = names![IPC_RMID;];

const QUEUE: Names = names![O_CREAT, O_EXCL, O_WRONLY, O_RDWR, O_NONBLOCK, O_CLOEXEC;];

const REQUEST: Names = names![SIOCSIFFLAGS;];

/// Its type is not the same in each C library.
const SET_FLAGS: u64 = REQUEST[0].0;

const INTERFACE: Names = names![IFF_UP, IFF_LOOPBACK, IFF_RUNNING;];

const SIGNALS: Names = names![
    SIGHUP, SIGINT, SIGQUIT, SIGKILL, SIGUSR1, SIGUSR2, SIGTERM, SIGCONT, SIGSTOP, SIGTSTP;
];

const PTRACE: Names = names![PTRACE_TRACEME, PTRACE_ATTACH, PTRACE_SEIZE;];

const OPEN: Names = names![O_WRONLY, O_RDWR;];

const FAMILY: Names = names![AF_INET, AF_INET6;];

const TYPE: Names = names![SOCK_STREAM, SOCK_DGRAM, SOCK_RAW;];

/// The names of bits. Those that have none are a number.
fn bits(mut left: u64, names: Names) -> Vec<String> {
    let mut found = Vec::new();
    for (bit, name) in names {
        if left & bit != 0 {
            left &= !bit;
            found.push((*name).to_owned());
        }
    }
    if left != 0 {
        found.push(format!("{left:#x}"));
    }
    found
}

/// The C string at an address.
fn text(pid: Pid, address: u64) -> String {
    let mut bytes = ptrace::read(pid, address, LONGEST);
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Memory as integers of 64 bits; of the last one all bytes must be there.
fn integers(bytes: &[u8]) -> Vec<u64> {
    bytes.as_chunks().0.iter().map(|word| u64::from_le_bytes(*word)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use trace::Kind;

    #[test]
    fn flags_are_named_and_unknown_bits_are_kept() {
        assert_eq!(bits(0, CLONE), [""; 0]);
        assert_eq!(bits(libc::CLONE_NEWUTS as u64, CLONE), ["CLONE_NEWUTS"]);
        let both = libc::CLONE_NEWUSER as u64 | libc::CLONE_NEWTIME as u64 | 1 << 40;
        assert_eq!(bits(both, CLONE), ["CLONE_NEWUSER", "CLONE_NEWTIME", "0x10000000000"]);
    }

    #[test]
    fn every_namespace_has_its_bit_in_the_mask_and_its_name() {
        let all = Kind::ALL.iter().fold(0, |bits, kind| bits | kind.flag() as u64);
        assert_eq!(all, NAMESPACES);
        assert_eq!(bits(NAMESPACES, CLONE), Kind::ALL.map(Kind::flag_name));
    }

    #[test]
    fn the_flags_of_a_child_are_those_that_say_something_about_it() {
        assert_eq!(child_flags(BOOKKEEPING, 17), ["SIGCHLD"]);
        assert_eq!(child_flags(libc::CLONE_NEWPID as u64, 17), ["CLONE_NEWPID", "SIGCHLD"]);
        assert_eq!(child_flags(libc::CLONE_NEWPID as u64, 12), ["CLONE_NEWPID", "signal 12"]);
        assert_eq!(child_flags((libc::CLONE_VM | libc::CLONE_THREAD) as u64, 0), ["CLONE_THREAD"]);
    }

    #[test]
    fn a_signal_through_a_pidfd_has_a_name() {
        let shown = |signal: i32| {
            let arguments = [
                Descriptor.read(Pid::this(), &[3]),
                Constant(SIGNALS).read(Pid::this(), &[signal as u64]),
            ];
            trace::Event::new(
                1,
                "pidfd_send_signal",
                arguments.into(),
                trace::Outcome::Never,
                vec![],
            )
            .text
        };
        assert_eq!(shown(libc::SIGKILL), "pidfd_send_signal(3, SIGKILL)");
        assert_eq!(shown(64), "pidfd_send_signal(3, 0x40)");
    }

    #[test]
    fn a_signal_of_clone3_is_no_flag() {
        let shown = |flags: u64, signal: u64| {
            let words = [flags, signal];
            let arguments =
                [ChildFlags.read(Pid::this(), &words), Signal.read(Pid::this(), &words[1..])];
            trace::Event::new(1, "clone3", arguments.into(), trace::Outcome::Never, vec![]).text
        };
        let uts = libc::CLONE_NEWUTS as u64;
        assert_eq!(shown(uts, 17), "clone3(CLONE_NEWUTS, exit_signal = SIGCHLD)");
        assert_eq!(shown(uts | 17, 0), "clone3(CLONE_NEWUTS | SIGCHLD)");
        assert_eq!(shown((libc::CLONE_VM | libc::CLONE_THREAD) as u64, 0), "clone3(CLONE_THREAD)");
        assert_eq!(shown(0, 17), "fork()");
    }

    #[test]
    fn a_followed_file_is_known_by_its_name() {
        assert!(is_followed("/proc/self/uid_map") && is_followed("/sys/fs/cgroup/x/cgroup.procs"));
        assert!(!is_followed("/tmp/my_uid_map") && !is_followed("/"));
    }
}
