//! Named: without /proc there is no answer
//! All is right as long as there is a /proc.

use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::fs::MetadataExt as _;

use nix::errno::Errno;

fn get(of: &File, request: libc::Ioctl) -> Result<File, Errno> {
    // SAFETY: the request takes no argument and returns a new descriptor.
    Errno::result(unsafe { libc::ioctl(of.as_raw_fd(), request, 0) })
        .map(|fd| unsafe { File::from_raw_fd(fd) })
}

fn main() -> anyhow::Result<()> {
    let pid = std::env::args().nth(1).unwrap_or_default();
    let mut user = File::open(format!("/proc/{pid}/ns/user"))?;
    loop {
        let mut uid = 0u32;
        // SAFETY: the kernel writes a uid.
        Errno::result(unsafe { libc::ioctl(user.as_raw_fd(), libc::NS_GET_OWNER_UID, &mut uid) })?;
        println!("user user:[{}] uid {uid}", user.metadata()?.ino());
        user = match get(&user, libc::NS_GET_PARENT) {
            Ok(parent) => parent,
            Err(Errno::EPERM) => break,
            Err(errno) => return Err(errno.into()),
        };
    }
    for kind in "mnt pid net uts ipc cgroup time".split(' ') {
        let namespace = File::open(format!("/proc/{pid}/ns/{kind}"))?;
        match get(&namespace, libc::NS_GET_USERNS) {
            Ok(owner) => println!("{kind} user:[{}]", owner.metadata()?.ino()),
            Err(Errno::EPERM) => println!("{kind} beyond"),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}
