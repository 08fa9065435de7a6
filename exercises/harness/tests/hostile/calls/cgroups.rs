//! Cgroups, in a lab that has its own.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::MetadataExt as _;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::pause;

use super::child;
use super::processes::ignore_all;

/// Where such a lab has them mounted.
const CGROUPS: &str = "/sys/fs/cgroup";

/// Removes the limits on the cgroups below `folder`. Returns whether `folder` is a cgroup outside the
/// lab.
fn lift_limits(folder: &str) -> bool {
    for file in ["cgroup.max.descendants", "cgroup.max.depth"] {
        _ = fs::write(format!("{folder}/{file}"), "max");
    }
    let made = fs::create_dir(format!("{folder}/mine")).is_ok();
    // By another path it may be the lab's root, or the cgroup in which the program started.
    let inside = ["mine", "lab/mine"].map(|path| fs::exists(format!("{CGROUPS}/{path}")));
    _ = fs::remove_dir(format!("{folder}/mine"));
    made && inside.iter().all(|found| matches!(found, Ok(false)))
}

/// The same by file handles of cgroups made shortly before the lab's root: the kernel numbers them
/// consecutively. Root of a user namespace may open what is below its own mounts (Linux 6.11,
/// `may_decode_fh` in fs/fhandle.c).
fn lift_limits_by_handle() -> bool {
    let Ok(at) = fs::File::open(CGROUPS) else { return false };
    let root = at.metadata().unwrap().ino();
    (root.saturating_sub(500)..root).any(|number| {
        // `struct file_handle`: eight bytes, FILEID_KERNFS (`linux/exportfs.h`), and the number.
        let mut handle = [8, 0xfe, number as u32, (number >> 32) as u32];
        let flags = libc::O_RDONLY | libc::O_DIRECTORY;
        let fd = call!(SYS_open_by_handle_at, at.as_raw_fd(), handle.as_mut_ptr(), flags);
        fd >= 0 && lift_limits(&format!("/proc/self/fd/{fd}"))
    })
}

/// Removes the limits by every path, and then makes cgroups in depth and in breadth. It gets through if
/// it reaches a cgroup outside, or can make more than the limits allow.
pub(crate) fn cgroups_without_end() -> bool {
    let here = |path: &str| format!("{CGROUPS}/{path}");
    let paths = [here(""), here(".."), format!("/proc/1/root{CGROUPS}"), "/proc/1/cwd".into()];
    let mut outside = paths.iter().any(|path| lift_limits(path));
    // With the mount option nsdelegate the root of a cgroup namespace cannot be written to from inside.
    // From a namespace whose root is further down it is an ordinary cgroup.
    _ = unshare(CloneFlags::CLONE_NEWCGROUP);
    outside |= lift_limits(CGROUPS);
    // A namespace whose root is as far up as this process gets, and what a mount shows from there.
    _ = fs::write(here("cgroup.subtree_control"), "-memory -pids");
    _ = fs::write(here("cgroup.procs"), "0");
    _ = unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS);
    let (kind, mnt) = (c"cgroup2".as_ptr(), c"/mnt".as_ptr());
    if call!(SYS_mount, kind, mnt, kind, 0, 0) == 0 {
        outside |= lift_limits("/mnt") || lift_limits("/mnt/..");
    }
    outside |= lift_limits_by_handle();

    // A frozen process, which cannot end by itself.
    _ = fs::create_dir_all(here("a/b"));
    let frozen = child(|| {
        ignore_all();
        loop {
            pause();
        }
    });
    _ = fs::write(here("a/b/cgroup.procs"), frozen.to_string());
    _ = fs::write(here("a/cgroup.freeze"), "1");
    // Deeper than the longest path.
    _ = std::env::set_current_dir(here("a"));
    let down = || fs::create_dir("d").and_then(|()| std::env::set_current_dir("d")).is_ok();
    let deep = (0..2_100).take_while(|_| down()).count();
    let wide = (0..100).take_while(|name| fs::create_dir(here(&format!("a/{name}"))).is_ok());
    let wide = wide.count();
    eprintln!("outside: {outside}; {deep} deep, {wide} wide");
    outside || deep > 10 || deep + wide > 65
}
