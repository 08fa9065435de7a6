//! Which ids of this machine a sandbox runs with.
//!
//! Inside a sandbox a program may be root. Outside, its id must own nothing: if root's id were
//! mapped, the program could still write `kernel.core_pattern`, make cgroups and ignore
//! `RLIMIT_NPROC`.

use std::fmt::Display;
use std::fs;

use nix::unistd::{Gid, Uid};

use super::refusal::{Refusal, Stage, refused};
use crate::env;
use crate::look::ranges_in;

/// An id that belongs to no account: above every range that useradd(8), subuid(5) and systemd
/// assign by default.
const UNUSED: u32 = 0x7000_4242;

/// How many ids of this machine a sandbox with many ids has.
pub(crate) const MANY: u32 = 4096;

/// The uid of this machine that sandboxes run with.
pub(crate) fn host_uid() -> u32 {
    unprivileged(Uid::effective().as_raw(), "/proc/self/uid_map")
}

pub(crate) fn host_gid() -> u32 {
    unprivileged(nix::unistd::Gid::effective().as_raw(), "/proc/self/gid_map")
}

/// Whether that is the uid of this process.
pub(crate) fn is_own() -> bool {
    host_uid() == Uid::effective().as_raw()
}

/// An ordinary user keeps its id. Root takes an id that is mapped here and is not root's. If there
/// is none, "root" is the only id of a user namespace (`unshare -Ur`).
fn unprivileged(own: u32, map: &str) -> u32 {
    if own != 0 { own } else { beside_root(&fs::read_to_string(map).unwrap_or_default()) }
}

/// Whether sandboxes started here would run with the id of the machine's root.
///
/// That is so only in a user namespace into which root mapped itself alone, as `unshare -Ur` does
/// when root runs it: no other id exists there. A program then has root's id without root's
/// capabilities, and may write what belongs to root and takes no capability, such as most of
/// `/proc/sys`. Before running programs that you do not trust, leave that namespace.
pub fn holds_the_machines_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // Sysctls belong to the machine's root (`proc_sys_make_inode` in fs/proc/proc_sysctl.c). If its
    // id is not mapped here, the owner appears as the overflow uid.
    let owner = fs::metadata("/proc/sys/kernel/core_pattern").map(|file| file.uid());
    owner.is_ok_and(|owner| owner == 0 && host_uid() == 0)
}

/// An id of a `uid_map` that is not root's, if it has one.
fn beside_root(map: &str) -> u32 {
    let (first, length) = longest(map);
    let last = first.saturating_add(length.saturating_sub(1));
    last.min(u64::from(UNUSED)) as u32
}

/// First id and length of the longest range in a `uid_map`: lines of first id here, first id
/// outside, length.
pub(crate) fn longest(map: &str) -> (u64, u64) {
    let ranges = ranges_in(map).into_iter();
    let ranges = ranges.map(|[first, _outside, length]| (first.into(), length.into()));
    ranges.max_by_key(|(_, length)| *length).unwrap_or((0, 1))
}

/// The first uid and the first gid of [`MANY`] unused ones each; `None` if a sandbox cannot have
/// them here.
///
/// To map several ids takes CAP_SETUID and CAP_SETGID, which root has and an ordinary user does
/// not. And setgroups(2) must not be denied in this user namespace, because the denial is inherited
/// (user_namespaces(7)). A grader wants none anywhere ([`env::IDS`]).
pub(crate) fn many() -> Option<(u32, u32)> {
    let read = |file: &str| fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default();
    if env::has_one_id() || !Uid::effective().is_root() || read("setgroups").trim() != "allow" {
        return None;
    }
    Some((block(&read("uid_map"))?, block(&read("gid_map"))?))
}

/// The first of [`MANY`] ids of a `uid_map`, as far above its first id as possible.
pub(crate) fn block(map: &str) -> Option<u32> {
    let (first, length) = longest(map);
    let start = first.saturating_add(length).checked_sub(u64::from(MANY))?;
    (start > first).then_some(start.min(u64::from(UNUSED)) as u32)
}

/// Maps one id of each kind for a process, a pid or `self`, in a new user namespace: `inside` are the uid
/// and gid there, and `uid` and `gid` those in the one above (user_namespaces(7)).
pub(crate) fn map(
    process: impl Display,
    inside: [u32; 2],
    uid: u32,
    gid: u32,
) -> Result<(), Refusal> {
    // Without CAP_SETGID, gid_map can only be written after "deny". Root writes it too, so that
    // every sandbox is the same.
    write(&process, "setgroups", "deny")?;
    map_many(process, inside, uid, gid, 1)
}

/// Maps `count` ids, from `inside` there and from `uid` and `gid` above on, and leaves setgroups(2) as
/// it is. More than one id takes CAP_SETUID and CAP_SETGID above.
pub(crate) fn map_many(
    process: impl Display,
    inside: [u32; 2],
    uid: u32,
    gid: u32,
    count: u32,
) -> Result<(), Refusal> {
    write(&process, "uid_map", &format!("{} {uid} {count}", inside[0]))?;
    write(&process, "gid_map", &format!("{} {gid} {count}", inside[1]))
}

fn write(process: &impl Display, file: &str, text: &str) -> Result<(), Refusal> {
    fs::write(format!("/proc/{process}/{file}"), text)
        .map_err(refused(Stage::Map, format!("write(\"/proc/PID/{file}\", \"{text}\")")))
}

/// Takes on this uid and gid, root's inside or the plain user's.
pub(crate) fn set_ids([uid, gid]: [u32; 2]) -> nix::Result<()> {
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    nix::unistd::setresgid(gid, gid, gid)?;
    nix::unistd::setresuid(uid, uid, uid)?;
    // After a change of ids the process is not dumpable, and its files in /proc belong to root
    // (proc(5)). The check must be able to read them.
    nix::sys::prctl::set_dumpable(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_never_stays_root_where_another_id_is_mapped() {
        assert_eq!(beside_root("         0          0 4294967295\n"), UNUSED);
        assert_eq!(beside_root("0 100000 65536\n"), 65535);
        assert_eq!(beside_root("0 1000 1\n1 100000 65536\n"), 65536);
        assert_eq!(beside_root("0 1000 1\n"), 0, "nothing else is mapped");
        assert_eq!(beside_root("no map at all"), 0);
    }

    #[test]
    fn a_block_of_ids_leaves_root_out() {
        assert_eq!(block("         0          0 4294967295\n"), Some(UNUSED));
        assert_eq!(block("0 100000 65536\n"), Some(61440));
        assert_eq!(block("0 1000 1\n1 100000 65536\n"), Some(61441));
        assert_eq!(block("0 100000 4096\n"), None, "it would hold the root of this namespace");
        assert_eq!(block("0 1000 1\n"), None);
        assert_eq!(block(""), None);
    }
}
