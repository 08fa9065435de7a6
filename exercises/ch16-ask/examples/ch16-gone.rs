//! ch16-gone: keeps a file handle of a UTS namespace, which holds nothing, and opens it before and after the end.

use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use anyhow::{Context as _, Result};
use nix::errno::Errno;
use nix::sched::{CloneFlags, unshare};

/// `struct file_handle` with room for the bytes that follow it.
#[repr(C)]
struct Handle {
    size: u32,
    kind: i32,
    bytes: [u8; libc::MAX_HANDLE_SZ as usize],
}

fn main() -> Result<()> {
    // The call takes any descriptor of the same file system.
    let nsfs = File::open("/proc/self/ns/user").context("open()")?;
    unshare(CloneFlags::CLONE_NEWUTS).context("unshare(CLONE_NEWUTS)")?;
    let mut handle = handle_of("/proc/self/ns/uts")?;
    println!("while this process is in it: {}", opened(&nsfs, &mut handle));
    unshare(CloneFlags::CLONE_NEWUTS).context("unshare(CLONE_NEWUTS)")?;
    println!("after it has left: {}", opened(&nsfs, &mut handle));
    Ok(())
}

fn handle_of(path: &str) -> Result<Handle> {
    let file = File::open(path).context("open()")?;
    let size = libc::MAX_HANDLE_SZ as u32;
    let mut handle = Handle { size, kind: 0, bytes: [0; libc::MAX_HANDLE_SZ as usize] };
    let mut mount = 0;
    // SAFETY: `size` says how much room there is for the bytes, and all pointers are valid for the call.
    let asked = unsafe {
        let room = (&raw mut handle).cast();
        let (fd, flags) = (file.as_raw_fd(), libc::AT_EMPTY_PATH);
        libc::name_to_handle_at(fd, c"".as_ptr(), room, &raw mut mount, flags)
    };
    Errno::result(asked).context("name_to_handle_at()")?;
    Ok(handle)
}

fn opened(nsfs: &File, handle: &mut Handle) -> String {
    let room = std::ptr::from_mut(handle).cast();
    // SAFETY: the handle is one that the kernel has written.
    let fd = unsafe { libc::open_by_handle_at(nsfs.as_raw_fd(), room, libc::O_RDONLY) };
    if fd < 0 {
        return format!("{:?}", Errno::last());
    }
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    drop(unsafe { OwnedFd::from_raw_fd(fd) });
    "it is there".to_owned()
}
