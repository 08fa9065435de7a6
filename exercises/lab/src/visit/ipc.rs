//! What a visitor finds in the IPC namespace that it has entered.

use std::ffi::CString;
use std::os::fd::{FromRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

/// How many bytes are read of a segment.
const READ: usize = 256;

/// The text at the beginning of the segment with this key (shmget(2), shmat(2)).
pub(super) fn segment(key: libc::key_t) -> nix::Result<String> {
    // SAFETY: integers only.
    let id = Errno::result(unsafe { libc::shmget(key, 0, 0) })?;
    // SAFETY: all zeros is a valid shmid_ds.
    let mut about: libc::shmid_ds = unsafe { std::mem::zeroed() };
    // SAFETY: IPC_STAT fills one shmid_ds.
    Errno::result(unsafe { libc::shmctl(id, libc::IPC_STAT, &mut about) })?;
    // SAFETY: the kernel chooses a free address. The segment stays attached until the visitor ends.
    let start = unsafe { libc::shmat(id, std::ptr::null(), libc::SHM_RDONLY) };
    if start as isize == -1 {
        return Err(Errno::last());
    }
    let start: *const u8 = start.cast();
    // SAFETY: shm_segsz bytes are mapped there. As another process may write meanwhile, each byte
    // is read once, and volatile.
    let bytes = (0..about.shm_segsz.min(READ)).map(|at| unsafe { start.add(at).read_volatile() });
    let text: Vec<u8> = bytes.take_while(|byte| *byte != 0).collect();
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Opens the queue `name` (mq_open(3)) and closes it. That takes no mounted mqueue file system.
pub(super) fn queue(name: &str) -> nix::Result<()> {
    let name = CString::new(name).map_err(|_| Errno::EINVAL)?;
    // SAFETY: a C string and integers; without O_CREAT there are no further arguments.
    let queue = Errno::result(unsafe { libc::mq_open(name.as_ptr(), libc::O_RDONLY) })?;
    // SAFETY: on Linux a queue descriptor is a file descriptor, and this one has no other owner.
    drop(unsafe { OwnedFd::from_raw_fd(queue) });
    Ok(())
}

/// Mounts the POSIX message queues (mq_overview(7)), for this process alone, where it finds a directory.
/// Returns that.
pub(super) fn mount_queues() -> nix::Result<&'static str> {
    const POINT: &str = "/proc";
    unshare(CloneFlags::CLONE_NEWNS)?;
    let (kind, none) = (Some("mqueue"), None::<&str>);
    mount(kind, POINT, kind, MsFlags::empty(), none)?;
    Ok(POINT)
}
