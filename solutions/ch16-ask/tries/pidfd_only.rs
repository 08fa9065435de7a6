//! Named: there is no way for an older kernel
//! Asks a pidfd, and nothing else.

use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::fs::MetadataExt as _;

use nix::errno::Errno;

fn get(of: &File, request: libc::Ioctl) -> Result<File, Errno> {
    // SAFETY: the request takes no argument and returns a new descriptor.
    Errno::result(unsafe { libc::ioctl(of.as_raw_fd(), request, 0) })
        .map(|fd| unsafe { File::from_raw_fd(fd) })
}

const KINDS: [(&str, libc::Ioctl); 8] = [
    ("user", 9),
    ("mnt", 3),
    ("pid", 5),
    ("net", 4),
    ("uts", 10),
    ("ipc", 2),
    ("cgroup", 1),
    ("time", 7),
];

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let pid: i32 = std::env::args().nth(1).ok_or("usage")?.parse()?;
    // SAFETY: integers only.
    let pidfd = Errno::result(unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) })?;
    let pidfd = unsafe { File::from_raw_fd(pidfd as i32) };
    for (kind, number) in KINDS {
        let namespace = get(&pidfd, 0xFF00 + number)?;
        if kind != "user" {
            match get(&namespace, libc::NS_GET_USERNS) {
                Ok(owner) => println!("{kind} user:[{}]", owner.metadata()?.ino()),
                Err(Errno::EPERM) => println!("{kind} beyond"),
                Err(errno) => return Err(errno.into()),
            }
            continue;
        }
        let mut next = Ok(namespace);
        while let Ok(user) = next {
            let mut uid = 0u32;
            // SAFETY: the kernel writes a uid.
            unsafe { libc::ioctl(user.as_raw_fd(), libc::NS_GET_OWNER_UID, &raw mut uid) };
            println!("user user:[{}] uid {uid}", user.metadata()?.ino());
            next = get(&user, libc::NS_GET_PARENT);
        }
    }
    Ok(())
}

fn main() {
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}
