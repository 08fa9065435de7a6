//! Named: the process's own user namespace is taken for the owner
//! The climb is right, and the owner of each namespace is assumed.

use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::sys::stat::fstat;

fn main() -> anyhow::Result<()> {
    let pid: i32 = std::env::args().nth(1).unwrap().parse()?;
    // SAFETY: integers only, and the descriptor is new.
    let pidfd = unsafe {
        let fd = Errno::result(libc::syscall(libc::SYS_pidfd_open, pid, 0))?;
        OwnedFd::from_raw_fd(fd as i32)
    };
    let ask = |fd: &OwnedFd, request: libc::Ioctl| {
        // SAFETY: as above.
        let fd = Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), request, 0) })?;
        Ok::<_, Errno>(unsafe { OwnedFd::from_raw_fd(fd) })
    };
    let own: OwnedFd = match ask(&pidfd, 0xFF09) {
        Err(Errno::ENOTTY) => File::open(format!("/proc/{pid}/ns/user"))?.into(),
        other => other?,
    };
    let name = |fd: &OwnedFd| format!("user:[{}]", fstat(fd).unwrap().st_ino);
    let owner = name(&own);
    let mut next = Some(own);
    while let Some(user) = next {
        let mut uid = 0u32;
        // SAFETY: the kernel writes four bytes.
        Errno::result(unsafe { libc::ioctl(user.as_raw_fd(), libc::NS_GET_OWNER_UID, &mut uid) })?;
        println!("user {} uid {uid}", name(&user));
        next = match ask(&user, libc::NS_GET_PARENT) {
            Err(Errno::EPERM) => None,
            parent => Some(parent?),
        };
    }
    for kind in ["mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        println!("{kind} {owner}");
    }
    Ok(())
}
