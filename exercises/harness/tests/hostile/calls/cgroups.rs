//! Cgroups, where the lab has some of its own.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::pause;

use super::child;
use super::processes::ignore_all;

/// Where a lab with cgroups of its own finds them.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Takes away the limits on the cgroups below one. Whether that one is outside the lab, where there
/// is a cgroup at all.
fn lift_limits(folder: &str) -> bool {
    for file in ["cgroup.max.descendants", "cgroup.max.depth"] {
        _ = fs::write(format!("{folder}/{file}"), "max");
    }
    let made = fs::create_dir(format!("{folder}/mine")).is_ok();
    // By another path, it may be the lab's uppermost, or the one in which we began.
    let inside = ["mine", "lab/mine"].map(|path| fs::exists(format!("{CGROUPS}/{path}")));
    _ = fs::remove_dir(format!("{folder}/mine"));
    made && inside.iter().all(|found| matches!(found, Ok(false)))
}

/// The same by the handles of those that were made shortly before the lab's uppermost: the kernel
/// counts up. Root of a user namespace may open what is below its own mounts (Linux 6.11,
/// `may_decode_fh` in fs/fhandle.c).
fn lift_limits_by_handle() -> bool {
    let Ok(at) = fs::File::open(CGROUPS) else { return false };
    let uppermost = at.metadata().unwrap().ino();
    (uppermost.saturating_sub(500)..uppermost).any(|number| {
        // `struct file_handle`: eight bytes, FILEID_KERNFS (`linux/exportfs.h`), and the number.
        let mut handle = [8, 0xfe, number as u32, (number >> 32) as u32];
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        let fd = call!(SYS_open_by_handle_at, at.as_raw_fd(), handle.as_mut_ptr(), flags);
        fd >= 0 && lift_limits(&format!("/proc/self/fd/{fd}"))
    })
}

/// Takes the limits away by every path, and then makes cgroups in depth and in breadth. It is
/// through if there is no end to them, or if it was outside.
pub(crate) fn cgroups_without_end() -> bool {
    let here = |path: &str| format!("{CGROUPS}/{path}");
    let paths = [here(""), here(".."), format!("/proc/1/root{CGROUPS}"), "/proc/1/cwd".into()];
    let mut outside = paths.iter().any(|path| lift_limits(path));
    // Where namespaces are boundaries (the option nsdelegate), their root is closed to who is in
    // them. From one that begins further down it is none.
    _ = unshare(CloneFlags::CLONE_NEWCGROUP);
    outside |= lift_limits(CGROUPS);
    // Another one, that begins as far up as we get, and what a mount shows from there.
    _ = fs::write(here("cgroup.subtree_control"), "-memory -pids");
    _ = fs::write(here("cgroup.procs"), "0");
    _ = unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS);
    let (kind, mnt) = (c"cgroup2".as_ptr(), c"/mnt".as_ptr());
    if call!(SYS_mount, kind, mnt, kind, 0, 0) == 0 {
        outside |= lift_limits("/mnt") || lift_limits("/mnt/..");
    }
    outside |= lift_limits_by_handle();

    // Somebody who is frozen, and cannot end by themselves.
    _ = fs::create_dir_all(here("a/b"));
    let frozen = child(|| {
        ignore_all();
        loop {
            pause();
        }
    });
    _ = fs::write(here("a/b/cgroup.procs"), frozen.to_string());
    _ = fs::write(here("a/cgroup.freeze"), "1");
    // Deeper than a path is long.
    _ = std::env::set_current_dir(here("a"));
    let down = || fs::create_dir("d").and_then(|()| std::env::set_current_dir("d")).is_ok();
    let deep = (0..2_100).take_while(|_| down()).count();
    let wide = (0..100).take_while(|name| fs::create_dir(here(&format!("a/{name}"))).is_ok());
    let wide = wide.count();
    eprintln!("outside: {outside}; {deep} deep, {wide} wide");
    outside || deep > 10 || deep + wide > 65
}
