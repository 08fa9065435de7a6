//! System calls, decoded: what one would have typed.

use std::ffi::c_long;
use std::path::Path;

use nix::unistd::Pid;

use super::ptrace;
use crate::look::Kind;

/// A call at its entry.
pub(super) struct Call {
    pub(super) name: &'static str,
    pub(super) text: String,
    pub(super) meaning: Meaning,
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
    Exec(String),
    /// The mount family, with the type of the file system if a new one was asked for.
    Mounts(Option<String>),
    Chroot,
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

/// The longest path (`PATH_MAX`), and as much as is kept of anything else.
const LONGEST: usize = 4096;

/// The files of /proc and of cgroups whose writing is part of a trace.
const FOLLOWED: [&str; 5] = ["uid_map", "gid_map", "setgroups", "timens_offsets", "cgroup.procs"];

/// Whether a trace follows what is written to this path.
pub(super) fn is_followed(path: &str) -> bool {
    Path::new(path).file_name().is_some_and(|name| FOLLOWED.iter().any(|known| name == *known))
}

/// A call of our filter; `None` where it is none for the trace after all.
pub(super) fn decode(pid: Pid, number: c_long, arguments: &[u64; 6]) -> Option<Call> {
    let [a, b, c, d, e, _] = *arguments;
    let path = |address| quoted(&text(pid, address));
    let done = |name, text, meaning| Some(Call { name, text, meaning });
    match number {
        libc::SYS_clone => child("clone", a & !0xff, a & 0xff),
        libc::SYS_clone3 => {
            let words = ptrace::read(pid, a, 40);
            let word = |index: usize| {
                let word =
                    words.get(index * 8..index * 8 + 8).and_then(|word| word.try_into().ok());
                word.map(u64::from_le_bytes).unwrap_or_default()
            };
            child("clone3", word(0), word(4))
        }
        #[cfg(target_arch = "x86_64")]
        libc::SYS_fork => done("fork", "fork()".into(), Meaning::Child(0)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_vfork => done("vfork", "vfork()".into(), Meaning::Child(0)),
        libc::SYS_unshare => {
            done("unshare", format!("unshare({})", clone_flags(a)), Meaning::Unshare(a))
        }
        libc::SYS_setns => {
            let (fd, kinds) = (a as i32, b);
            done("setns", format!("setns({fd}, {})", clone_flags(b)), Meaning::Setns { fd, kinds })
        }
        libc::SYS_execve => {
            let program = text(pid, a);
            let arguments = strings(pid, b);
            let arguments: Vec<_> = arguments.iter().map(|argument| quoted(argument)).collect();
            let call = format!("execve({}, [{}])", quoted(&program), arguments.join(", "));
            done("execve", call, Meaning::Exec(base_name(&program)))
        }
        libc::SYS_execveat => {
            let program = text(pid, b);
            let call = format!("execveat({}, {})", directory(a), quoted(&program));
            done("execveat", call, Meaning::Exec(base_name(&program)))
        }
        libc::SYS_mount => {
            let kind = (c != 0).then(|| text(pid, c));
            let bits = names(d, MOUNT_FLAGS);
            let kind_shown = kind.as_deref().map_or("NULL".to_owned(), quoted);
            let data = if e == 0 { "NULL".to_owned() } else { path(e) };
            let source = if a == 0 { "NULL".to_owned() } else { path(a) };
            let call = format!("mount({source}, {}, {kind_shown}, {bits}, {data})", path(b));
            let new = d & (libc::MS_REMOUNT | libc::MS_BIND | libc::MS_MOVE | PROPAGATION) == 0;
            done("mount", call, Meaning::Mounts(kind.filter(|_| new)))
        }
        libc::SYS_umount2 => {
            let flags = names(
                b,
                &[(1, "MNT_FORCE"), (2, "MNT_DETACH"), (4, "MNT_EXPIRE"), (8, "UMOUNT_NOFOLLOW")],
            );
            done("umount2", format!("umount2({}, {flags})", path(a)), Meaning::Mounts(None))
        }
        libc::SYS_pivot_root => {
            let call = format!("pivot_root({}, {})", path(a), path(b));
            done("pivot_root", call, Meaning::Mounts(None))
        }
        libc::SYS_chroot => done("chroot", format!("chroot({})", path(a)), Meaning::Chroot),
        libc::SYS_open_tree => {
            let flags = names(
                c,
                &[
                    (1, "OPEN_TREE_CLONE"),
                    (0x8000, "AT_RECURSIVE"),
                    (0x80000, "OPEN_TREE_CLOEXEC"),
                    (0x1000, "AT_EMPTY_PATH"),
                ],
            );
            let call = format!("open_tree({}, {}, {flags})", directory(a), path(b));
            done("open_tree", call, Meaning::Mounts(None))
        }
        libc::SYS_move_mount => {
            let call =
                format!("move_mount({}, {}, {}, {})", directory(a), path(b), directory(c), path(d));
            done("move_mount", call, Meaning::Mounts(None))
        }
        libc::SYS_fsopen => {
            let kind = text(pid, a);
            done("fsopen", format!("fsopen({})", quoted(&kind)), Meaning::Mounts(Some(kind)))
        }
        libc::SYS_fsconfig => {
            done("fsconfig", format!("fsconfig({})", a as i32), Meaning::Mounts(None))
        }
        libc::SYS_fsmount => {
            done("fsmount", format!("fsmount({})", a as i32), Meaning::Mounts(None))
        }
        libc::SYS_mount_setattr => {
            let call = format!("mount_setattr({}, {})", directory(a), path(b));
            done("mount_setattr", call, Meaning::Mounts(None))
        }
        libc::SYS_sethostname | libc::SYS_setdomainname => {
            let name = ptrace::read(pid, a, (b as usize).min(64));
            let name = String::from_utf8_lossy(&name).into_owned();
            if number == libc::SYS_sethostname {
                done(
                    "sethostname",
                    format!("sethostname({})", quoted(&name)),
                    Meaning::HostName(name),
                )
            } else {
                done("setdomainname", format!("setdomainname({})", quoted(&name)), Meaning::Other)
            }
        }
        libc::SYS_ptrace => {
            done("ptrace", format!("ptrace({a:#x}, {})", b as i32), Meaning::Ptrace)
        }
        libc::SYS_seccomp => {
            let operation = match a {
                0 => "SECCOMP_SET_MODE_STRICT",
                1 => "SECCOMP_SET_MODE_FILTER",
                // It only asks what there is.
                _ => return None,
            };
            let flags = if a == 1 { names(b, SECCOMP_FLAGS) } else { "0".to_owned() };
            done("seccomp", format!("seccomp({operation}, {flags})"), Meaning::Other)
        }
        libc::SYS_openat => opening(pid, b, c),
        libc::SYS_openat2 => {
            let flags = ptrace::read(pid, c, 8).try_into().map(u64::from_le_bytes);
            opening(pid, b, flags.unwrap_or_default())
        }
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => opening(pid, a, b),
        _ => None,
    }
}

/// A write, if its descriptor is one of the files that a trace follows. Only tasks that have
/// opened such a file are asked.
pub(super) fn decode_write(pid: Pid, number: c_long, arguments: &[u64; 6]) -> Option<Call> {
    let [fd, address, length, ..] = *arguments;
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
    let bytes = if number == libc::SYS_writev {
        let vectors = ptrace::read(pid, address, (length as usize).min(64) * 16);
        let words = vectors
            .chunks_exact(8)
            .map(|word| u64::from_le_bytes(word.try_into().unwrap_or_default()));
        let words: Vec<u64> = words.collect();
        let each = words
            .chunks_exact(2)
            .map(|vector| ptrace::read(pid, vector[0], (vector[1] as usize).min(LONGEST)));
        each.flatten().take(LONGEST).collect()
    } else {
        ptrace::read(pid, address, (length as usize).min(LONGEST))
    };
    let text = format!("{name}({}, {})", quoted(&file), quoted(&String::from_utf8_lossy(&bytes)));
    Some(Call { name, text, meaning: Meaning::Write { file, bytes } })
}

fn opening(pid: Pid, address: u64, flags: u64) -> Option<Call> {
    let file = text(pid, address);
    let mode = if flags & libc::O_RDWR as u64 != 0 { "O_RDWR" } else { "O_WRONLY" };
    let call = format!("open({}, {mode})", quoted(&file));
    is_followed(&file).then_some(Call { name: "open", text: call, meaning: Meaning::Open })
}

fn child(name: &'static str, flags: u64, signal: u64) -> Option<Call> {
    // What the C library's own bookkeeping asks for says nothing about the child.
    let bookkeeping = (libc::CLONE_CHILD_CLEARTID | libc::CLONE_CHILD_SETTID) as u64;
    let thread = flags & libc::CLONE_THREAD as u64 != 0;
    let text = if flags & !bookkeeping == 0 && signal == libc::SIGCHLD as u64 {
        "fork()".to_owned()
    } else if thread {
        format!("{name}({})", clone_flags(flags & (libc::CLONE_THREAD as u64 | NAMESPACES)))
    } else {
        let shown = flags & !bookkeeping;
        let signal = match signal as i32 {
            0 => None,
            libc::SIGCHLD => Some("SIGCHLD".to_owned()),
            other => Some(format!("signal {other}")),
        };
        let flags = (shown != 0).then(|| clone_flags(shown));
        let both: Vec<String> = flags.into_iter().chain(signal).collect();
        format!("{name}({})", if both.is_empty() { "0".to_owned() } else { both.join(" | ") })
    };
    Some(Call { name, text, meaning: Meaning::Child(flags) })
}

/// Every `CLONE_NEW*`.
pub(super) const NAMESPACES: u64 = 0x7e02_0080;

fn clone_flags(flags: u64) -> String {
    let mut table: Vec<(u64, &str)> =
        Kind::ALL.iter().map(|kind| (kind.flag() as u64, kind.flag_name())).collect();
    table.extend([
        (libc::CLONE_VM as u64, "CLONE_VM"),
        (libc::CLONE_FS as u64, "CLONE_FS"),
        (libc::CLONE_FILES as u64, "CLONE_FILES"),
        (libc::CLONE_SIGHAND as u64, "CLONE_SIGHAND"),
        (libc::CLONE_PIDFD as u64, "CLONE_PIDFD"),
        (libc::CLONE_VFORK as u64, "CLONE_VFORK"),
        (libc::CLONE_PARENT as u64, "CLONE_PARENT"),
        (libc::CLONE_THREAD as u64, "CLONE_THREAD"),
        (libc::CLONE_SYSVSEM as u64, "CLONE_SYSVSEM"),
        (libc::CLONE_SETTLS as u64, "CLONE_SETTLS"),
        (libc::CLONE_PARENT_SETTID as u64, "CLONE_PARENT_SETTID"),
        (libc::CLONE_CHILD_CLEARTID as u64, "CLONE_CHILD_CLEARTID"),
        (libc::CLONE_CHILD_SETTID as u64, "CLONE_CHILD_SETTID"),
        (libc::CLONE_UNTRACED as u64, "CLONE_UNTRACED"),
        (0x2_0000_0000, "CLONE_INTO_CGROUP"),
    ]);
    names(flags, &table)
}

const PROPAGATION: libc::c_ulong =
    libc::MS_SHARED | libc::MS_PRIVATE | libc::MS_SLAVE | libc::MS_UNBINDABLE;

const MOUNT_FLAGS: &[(u64, &str)] = &[
    (libc::MS_REC, "MS_REC"),
    (libc::MS_PRIVATE, "MS_PRIVATE"),
    (libc::MS_SLAVE, "MS_SLAVE"),
    (libc::MS_SHARED, "MS_SHARED"),
    (libc::MS_UNBINDABLE, "MS_UNBINDABLE"),
    (libc::MS_BIND, "MS_BIND"),
    (libc::MS_MOVE, "MS_MOVE"),
    (libc::MS_REMOUNT, "MS_REMOUNT"),
    (libc::MS_RDONLY, "MS_RDONLY"),
    (libc::MS_NOSUID, "MS_NOSUID"),
    (libc::MS_NODEV, "MS_NODEV"),
    (libc::MS_NOEXEC, "MS_NOEXEC"),
    (libc::MS_NOATIME, "MS_NOATIME"),
    (libc::MS_RELATIME, "MS_RELATIME"),
    (libc::MS_STRICTATIME, "MS_STRICTATIME"),
    (libc::MS_SILENT, "MS_SILENT"),
];

const SECCOMP_FLAGS: &[(u64, &str)] = &[
    (1, "SECCOMP_FILTER_FLAG_TSYNC"),
    (2, "SECCOMP_FILTER_FLAG_LOG"),
    (8, "SECCOMP_FILTER_FLAG_NEW_LISTENER"),
];

/// Bits by name; what has none as a number.
fn names(bits: u64, table: &[(u64, &str)]) -> String {
    let mut left = bits;
    let mut found = Vec::new();
    for (bit, name) in table {
        if bits & bit == *bit {
            left &= !bit;
            found.push((*name).to_owned());
        }
    }
    if left != 0 || found.is_empty() {
        found.push(if left == 0 { "0".to_owned() } else { format!("{left:#x}") });
    }
    found.join(" | ")
}

fn directory(fd: u64) -> String {
    if fd as i32 == libc::AT_FDCWD { "AT_FDCWD".to_owned() } else { (fd as i32).to_string() }
}

fn base_name(path: &str) -> String {
    Path::new(path).file_name().map_or(path.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// The C string at an address.
fn text(pid: Pid, address: u64) -> String {
    let mut bytes = ptrace::read(pid, address, LONGEST);
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The C strings of a list that ends with a null pointer: the first sixteen.
fn strings(pid: Pid, address: u64) -> Vec<String> {
    let pointers = ptrace::read(pid, address, 16 * 8);
    let pointers = pointers
        .chunks_exact(8)
        .map(|pointer| u64::from_le_bytes(pointer.try_into().unwrap_or_default()));
    pointers.take_while(|pointer| *pointer != 0).map(|pointer| text(pid, pointer)).collect()
}

/// As a string of C, at most 80 characters of it.
fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(80).collect();
    let dots = if shown.len() < text.len() { "…" } else { "" };
    format!("{shown:?}{dots}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_named_and_unknown_bits_are_kept() {
        assert_eq!(clone_flags(0), "0");
        assert_eq!(clone_flags(libc::CLONE_NEWUTS as u64), "CLONE_NEWUTS");
        let both = libc::CLONE_NEWUSER as u64 | libc::CLONE_NEWTIME as u64 | 1 << 40;
        assert_eq!(clone_flags(both), "CLONE_NEWUSER | CLONE_NEWTIME | 0x10000000000");
    }

    #[test]
    fn every_namespace_has_its_bit_in_the_mask() {
        let all = Kind::ALL.iter().fold(0, |bits, kind| bits | kind.flag() as u64);
        assert_eq!(all, NAMESPACES);
    }

    #[test]
    fn a_fork_of_the_c_library_is_a_fork() {
        let flags = (libc::CLONE_CHILD_CLEARTID | libc::CLONE_CHILD_SETTID) as u64;
        let text = |flags, signal| child("clone", flags, signal).unwrap().text;
        assert_eq!(text(flags, 17), "fork()");
        assert_eq!(text(libc::CLONE_NEWPID as u64, 17), "clone(CLONE_NEWPID | SIGCHLD)");
        assert_eq!(text(libc::CLONE_NEWPID as u64, 0), "clone(CLONE_NEWPID)");
        assert_eq!(text((libc::CLONE_VM | libc::CLONE_THREAD) as u64, 0), "clone(CLONE_THREAD)");
    }

    #[test]
    fn a_followed_file_is_known_by_its_name() {
        assert!(is_followed("/proc/self/uid_map") && is_followed("/sys/fs/cgroup/x/cgroup.procs"));
        assert!(!is_followed("/tmp/my_uid_map") && !is_followed("/"));
    }
}
