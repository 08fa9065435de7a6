//! The machine's files, and mounts.

use std::ffi::{CString, c_char};
use std::fs;
use std::os::fd::AsRawFd as _;
use std::ptr::null;
use std::time::{Duration, Instant};

use nix::sched::CloneFlags;
use nix::sys::wait::waitpid;

use super::{child, own};

pub(crate) fn rename_race() -> bool {
    _ = fs::create_dir("/tmp/a");
    _ = std::os::unix::fs::symlink("/usr", "/tmp/b");
    let until = Instant::now() + Duration::from_millis(100);
    let racer = child(|| {
        while Instant::now() < until {
            call!(
                SYS_renameat2,
                libc::AT_FDCWD,
                c"/tmp/a".as_ptr(),
                libc::AT_FDCWD,
                c"/tmp/b".as_ptr(),
                2
            );
        }
    });
    while Instant::now() < until {
        _ = fs::write("/tmp/a/raced", "mine");
        _ = fs::remove_file("/tmp/a/bin/env");
    }
    _ = waitpid(racer, None);
    fs::exists("/usr/raced").unwrap_or(true) || !fs::exists("/usr/bin/env").unwrap_or(false)
}

/// Leaves a chroot, by a second one below its working directory.
pub(crate) fn leave_chroot() -> bool {
    _ = fs::create_dir("/tmp/below");
    own(CloneFlags::empty());
    call!(SYS_chroot, c"/tmp/below".as_ptr());
    for _ in 0..64 {
        call!(SYS_chdir, c"..".as_ptr());
    }
    call!(SYS_chroot, c".".as_ptr());
    fs::exists("/var/lib").unwrap_or(false)
}

/// Opens a folder that is not shown by its file handle: the root of the file system with `/usr`.
pub(crate) fn open_by_handle() -> bool {
    let at = fs::File::open("/usr").unwrap();
    // The root inodes of ext2 to ext4, where a generation of 0 matches any (`ext4_nfs_get_inode` in
    // fs/ext4/super.c), and of xfs.
    [2_u32, 128].into_iter().any(|root| {
        // `struct file_handle`: eight bytes, FILEID_INO32_GEN, inode and generation.
        let mut handle = [8, 1, root, 0];
        call!(SYS_open_by_handle_at, at.as_raw_fd(), handle.as_mut_ptr(), libc::O_RDONLY) >= 0
    })
}

/// Each bind mount copies all those before it: 4096 in the end, whose list fits into no message.
pub(crate) fn double_mounts() -> bool {
    own(CloneFlags::CLONE_NEWNS);
    let mount = |from: *const c_char, to: *const c_char, kind: *const c_char, flags: u64| {
        call!(SYS_mount, from, to, kind, flags, 0) == 0
    };
    let (mnt, tmpfs) = (c"/mnt".as_ptr(), c"tmpfs".as_ptr());
    mount(tmpfs, mnt, tmpfs, 0);
    let doubled = (0..12).all(|number| {
        let folder = CString::new(format!("/mnt/{number}")).unwrap();
        _ = fs::create_dir(format!("/mnt/{number}"));
        mount(mnt, folder.as_ptr(), null(), libc::MS_BIND | libc::MS_REC)
    });
    assert!(doubled, "the attack no longer does what it is for");
    false
}

/// Sets the times of a device file, which is the machine's.
pub(crate) fn touch_device() -> bool {
    call!(SYS_utimensat, libc::AT_FDCWD, c"/dev/full".as_ptr(), 0, 0) == 0
}

/// A namespace that is bind-mounted on a file exists as long as the mount.
pub(crate) fn pin() -> bool {
    own(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET);
    for (number, on) in ["/tmp/pin", "/usr/bin/env"].into_iter().enumerate() {
        _ = fs::write("/tmp/pin", "");
        let on = CString::new(on).unwrap();
        let from = c"/proc/self/ns/net".as_ptr();
        let mounted = call!(SYS_mount, from, on.as_ptr(), 0, libc::MS_BIND, 0) == 0;
        assert!(mounted, "mount {number}: the attack no longer does what it is for");
    }
    false
}
