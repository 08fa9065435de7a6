//! Which ids of this machine a sandbox runs with.
//!
//! Inside a sandbox somebody is root. Outside it must be nobody: with host id 0 mapped, the
//! sandbox could still write `kernel.core_pattern`, make cgroups and ignore `RLIMIT_NPROC`.

use std::fmt::Display;
use std::fs;

use nix::unistd::{Gid, Uid};

use super::refusal::{Refusal, Stage, refused};
use crate::look::ranges_in;

/// Owns nothing on any machine we know of: above every range that `useradd` or `/etc/subuid`
/// hands out by default, and systemd's.
const NOBODY_KNOWN: u32 = 0x7000_4242;

/// How many ids of this machine a sandbox with [`super::Sandbox::many_ids`] has, where it can.
pub(crate) const MANY: u32 = 4096;

pub(crate) fn host_uid() -> u32 {
    unprivileged(Uid::effective().as_raw(), "/proc/self/uid_map")
}

pub(crate) fn host_gid() -> u32 {
    unprivileged(nix::unistd::Gid::effective().as_raw(), "/proc/self/gid_map")
}

/// Whether sandboxes run with our own id.
pub(crate) fn is_ours() -> bool {
    host_uid() == Uid::effective().as_raw()
}

/// An ordinary user stays itself. Root takes an id that is mapped here and is not root's; where
/// there is none, "root" is already somebody unprivileged (`unshare -Ur`).
fn unprivileged(own: u32, map: &str) -> u32 {
    if own != 0 { own } else { beside_root(&fs::read_to_string(map).unwrap_or_default()) }
}

/// Whether sandboxes started here would run with the id of the machine's root.
///
/// That is so in one place only: in a user namespace that root made for itself alone, as
/// `unshare -Ur` does when it is run by root. No other id exists there that one could take. A
/// program then has root's id without root's capabilities: it may write what belongs to root and
/// asks for no capability, such as most of `/proc/sys`. For programs of strangers leave that
/// namespace first.
pub fn holds_the_machines_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    // Sysctls belong to the machine's root (`proc_sys_make_inode` in fs/proc/proc_sysctl.c). If
    // its id is not mapped here, the owner shows as nobody.
    let owner = fs::metadata("/proc/sys/kernel/core_pattern").map(|file| file.uid());
    owner.is_ok_and(|owner| owner == 0 && host_uid() == 0)
}

/// Picks from a `uid_map`.
fn beside_root(map: &str) -> u32 {
    let (first, length) = longest(map);
    let last = first.saturating_add(length.saturating_sub(1));
    last.min(u64::from(NOBODY_KNOWN)) as u32
}

/// First id and length of the longest range in a `uid_map`: lines of first id here, first id
/// outside, length.
pub(crate) fn longest(map: &str) -> (u64, u64) {
    let ranges = ranges_in(map).into_iter();
    let ranges = ranges.map(|[first, _outside, length]| (first.into(), length.into()));
    ranges.max_by_key(|(_, length)| *length).unwrap_or((0, 1))
}

/// Where a sandbox may have many ids of this machine: the first uid and the first gid of
/// [`MANY`] each. They belong to nobody.
///
/// It takes privilege over more ids than one, so real root has it and an ordinary user has not.
/// And it takes a user namespace that was never told to deny setgroups(2): the denial is inherited
/// (user_namespaces(7)).
pub(crate) fn many() -> Option<(u32, u32)> {
    let read = |file: &str| fs::read_to_string(format!("/proc/self/{file}")).unwrap_or_default();
    if !Uid::effective().is_root() || read("setgroups").trim() != "allow" {
        return None;
    }
    Some((block(&read("uid_map"))?, block(&read("gid_map"))?))
}

/// The first of [`MANY`] ids that are nobody's, as far from root as they go.
pub(crate) fn block(map: &str) -> Option<u32> {
    let (first, length) = longest(map);
    let start = first.saturating_add(length).checked_sub(u64::from(MANY))?;
    (start > first).then_some(start.min(u64::from(NOBODY_KNOWN)) as u32)
}

/// Gives `whom`, a pid or `self`, which has just come into a new user namespace, one id: `inside`
/// there is `(uid, gid)` in the one above. user_namespaces(7).
pub(crate) fn map(whom: impl Display, inside: u32, uid: u32, gid: u32) -> Result<(), Refusal> {
    // In this order: without privilege gid_map may only be written after "deny". We deny as root
    // too, so that everybody finds the same.
    write(&whom, "setgroups", "deny")?;
    map_many(whom, inside, uid, gid, 1)
}

/// Gives it `count` ids, from `inside` there and from `(uid, gid)` above on, and leaves setgroups(2)
/// as it is. For who has CAP_SETUID and CAP_SETGID above.
pub(crate) fn map_many(
    whom: impl Display,
    inside: u32,
    uid: u32,
    gid: u32,
    count: u32,
) -> Result<(), Refusal> {
    write(&whom, "uid_map", &format!("{inside} {uid} {count}"))?;
    write(&whom, "gid_map", &format!("{inside} {gid} {count}"))
}

fn write(whom: &impl Display, file: &str, text: &str) -> Result<(), Refusal> {
    fs::write(format!("/proc/{whom}/{file}"), text)
        .map_err(refused(Stage::Map, format!("write(\"/proc/PID/{file}\", \"{text}\")")))
}

/// Takes the ids on. They are root's inside, or the plain user's.
pub(crate) fn set_ids(id: u32) -> nix::Result<()> {
    let (gid, uid) = (Gid::from_raw(id), Uid::from_raw(id));
    nix::unistd::setresgid(gid, gid, gid)?;
    nix::unistd::setresuid(uid, uid, uid)?;
    // A change of ids makes the process undumpable and hands its /proc files to root (proc(5));
    // the check must still be able to look.
    nix::sys::prctl::set_dumpable(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_never_stays_root_where_another_id_is_mapped() {
        assert_eq!(beside_root("         0          0 4294967295\n"), NOBODY_KNOWN);
        assert_eq!(beside_root("0 100000 65536\n"), 65535);
        assert_eq!(beside_root("0 1000 1\n1 100000 65536\n"), 65536);
        assert_eq!(beside_root("0 1000 1\n"), 0, "nothing else is mapped");
        assert_eq!(beside_root("no map at all"), 0);
    }

    #[test]
    fn a_block_of_ids_leaves_root_out() {
        assert_eq!(block("         0          0 4294967295\n"), Some(NOBODY_KNOWN));
        assert_eq!(block("0 100000 65536\n"), Some(61440));
        assert_eq!(block("0 1000 1\n1 100000 65536\n"), Some(61441));
        assert_eq!(block("0 100000 4096\n"), None, "it would hold the root of this namespace");
        assert_eq!(block("0 1000 1\n"), None);
        assert_eq!(block(""), None);
    }
}
