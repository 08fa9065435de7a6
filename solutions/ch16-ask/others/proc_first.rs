//! Looks in /proc first, and asks a pidfd if that is hidden.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};

use nix::errno::Errno;

fn main() {
    let pid = std::env::args().nth(1).unwrap_or_default();
    if let Err(error) = ask(&pid) {
        eprintln!("{error}");
        std::process::exit(2);
    }
}

fn ask(pid: &str) -> io::Result<()> {
    let mut next = Some(open(pid, "user", 9)?);
    while let Some(user) = next {
        let mut uid = 0u32;
        // SAFETY: NS_GET_OWNER_UID writes 32 bits.
        Errno::result(unsafe {
            libc::ioctl(user.as_raw_fd(), libc::NS_GET_OWNER_UID, &raw mut uid)
        })?;
        println!("user {} uid {uid}", name(&user)?);
        next = related(&user, libc::NS_GET_PARENT)?;
    }
    let kinds =
        [("mnt", 3), ("pid", 5), ("net", 4), ("uts", 10), ("ipc", 2), ("cgroup", 1), ("time", 7)];
    for (kind, number) in kinds {
        let namespace = match open(pid, kind, number) {
            Err(error) if kind == "time" && error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => continue,
            namespace => namespace?,
        };
        match related(&namespace, libc::NS_GET_USERNS)? {
            Some(owner) => println!("{kind} {}", name(&owner)?),
            None => println!("{kind} beyond"),
        }
    }
    Ok(())
}

fn open(pid: &str, kind: &str, number: libc::Ioctl) -> io::Result<OwnedFd> {
    let in_proc = File::open(format!("/proc/{pid}/ns/{kind}")).map(OwnedFd::from);
    if std::path::Path::new("/proc/self").exists() {
        return in_proc;
    }
    let pid: i32 = pid.parse().map_err(io::Error::other)?;
    // SAFETY: both calls take only integers, and nothing else owns the descriptors they return.
    unsafe {
        let pidfd = Errno::result(libc::syscall(libc::SYS_pidfd_open, pid, 0))?;
        let pidfd = OwnedFd::from_raw_fd(pidfd as i32);
        let fd = Errno::result(libc::ioctl(pidfd.as_raw_fd(), 0xFF00 | number, 0))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

fn related(namespace: &OwnedFd, request: libc::Ioctl) -> io::Result<Option<OwnedFd>> {
    // SAFETY: these requests take no argument.
    match Errno::result(unsafe { libc::ioctl(namespace.as_raw_fd(), request) }) {
        // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
        Ok(fd) => Ok(Some(unsafe { OwnedFd::from_raw_fd(fd) })),
        Err(Errno::EPERM) => Ok(None),
        Err(errno) => Err(errno.into()),
    }
}

fn name(namespace: &OwnedFd) -> io::Result<String> {
    use std::os::unix::fs::MetadataExt as _;
    Ok(format!("user:[{}]", File::from(namespace.try_clone()?).metadata()?.ino()))
}
