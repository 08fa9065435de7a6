//! Named: the request does not fit the kind
//! The same request is used for every kind, as if each of them were nested.

use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::fs::MetadataExt as _;

use nix::errno::Errno;

fn get(of: &File, request: libc::Ioctl) -> Result<File, Errno> {
    // SAFETY: the request takes no argument and returns a new descriptor.
    Errno::result(unsafe { libc::ioctl(of.as_raw_fd(), request, 0) })
        .map(|fd| unsafe { File::from_raw_fd(fd) })
}

fn main() -> std::io::Result<()> {
    let pid = std::env::args().nth(1).unwrap();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let mut namespace = File::open(format!("/proc/{pid}/ns/{kind}"))?;
        if kind != "user" {
            match get(&namespace, libc::NS_GET_PARENT) {
                Ok(parent) => println!("{kind} user:[{}]", parent.metadata()?.ino()),
                Err(Errno::EPERM) => println!("{kind} beyond"),
                Err(errno) => return Err(errno.into()),
            }
            continue;
        }
        loop {
            let mut uid = 0u32;
            // SAFETY: the kernel writes a uid.
            unsafe { libc::ioctl(namespace.as_raw_fd(), libc::NS_GET_OWNER_UID, &mut uid) };
            println!("user user:[{}] uid {uid}", namespace.metadata()?.ino());
            match get(&namespace, libc::NS_GET_PARENT) {
                Ok(parent) => namespace = parent,
                Err(_) => break,
            }
        }
    }
    Ok(())
}
