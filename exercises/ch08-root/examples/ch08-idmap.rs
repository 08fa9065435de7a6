//! ch08-idmap: mounts a directory once more, with the owners mapped as in a user namespace.

use std::env::args;
use std::ffi::CString;
use std::fs::File;
use std::os::fd::AsRawFd as _;

use anyhow::{Context as _, Result};
use nix::errno::Errno;

fn main() -> Result<()> {
    let words: Vec<String> = args().collect();
    let [_, namespace, from, to] = words.as_slice() else {
        anyhow::bail!("usage: ch08-idmap NAMESPACE FROM TO");
    };
    let namespace = File::open(namespace).context("open(NAMESPACE)")?;
    let (from, to) = (CString::new(from.as_str())?, CString::new(to.as_str())?);
    let map = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_IDMAP,
        attr_clr: 0,
        propagation: 0,
        userns_fd: namespace.as_raw_fd() as u64,
    };
    let (here, empty, size) = (libc::AT_FDCWD, c"".as_ptr(), size_of_val(&map));
    // SAFETY: the pointers are to a struct and to strings that live until the last call has returned.
    unsafe {
        let tree = libc::syscall(libc::SYS_open_tree, here, from.as_ptr(), libc::OPEN_TREE_CLONE);
        let tree = Errno::result(tree).context("open_tree(FROM, OPEN_TREE_CLONE)")?;
        let at = libc::AT_EMPTY_PATH;
        let mapped = libc::syscall(libc::SYS_mount_setattr, tree, empty, at, &raw const map, size);
        Errno::result(mapped).context("mount_setattr(MOUNT_ATTR_IDMAP)")?;
        let at = libc::MOVE_MOUNT_F_EMPTY_PATH;
        let moved = libc::syscall(libc::SYS_move_mount, tree, empty, here, to.as_ptr(), at);
        Errno::result(moved).context("move_mount(TO)")?;
    }
    Ok(())
}
