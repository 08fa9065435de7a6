//! Prints only the number of an error, and asks in a child that hands all answers back at once.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::fs::MetadataExt as _;

use libc::{NS_GET_OWNER_UID, NS_GET_PARENT, NS_GET_USERNS};
use nix::errno::Errno;

fn main() {
    let pid = std::env::args().nth(1).unwrap_or_default();
    // SAFETY: this process has one thread.
    if let nix::unistd::ForkResult::Parent { child } = unsafe { nix::unistd::fork() }.expect("fork")
    {
        let status = nix::sys::wait::waitpid(child, None).expect("waitpid");
        let nix::sys::wait::WaitStatus::Exited(_, code) = status else { std::process::exit(255) };
        if code != 0 {
            eprintln!("failed: error {code}");
        }
        std::process::exit(code);
    }
    let errno = answer(&pid).err().map_or(0, |error| error.raw_os_error().unwrap_or(254));
    std::process::exit(errno);
}

fn answer(pid: &str) -> io::Result<()> {
    let mut user = open(pid, "user", 9)?;
    loop {
        println!("user {} uid {}", name(&user)?, creator(&user)?);
        match request(&user, NS_GET_PARENT) {
            Ok(parent) => user = parent,
            Err(Errno::EPERM) => break,
            Err(errno) => return Err(errno.into()),
        }
    }
    for (kind, number) in
        [("mnt", 3), ("pid", 5), ("net", 4), ("uts", 10), ("ipc", 2), ("cgroup", 1), ("time", 7)]
    {
        let namespace = match open(pid, kind, number) {
            Err(error) if error.raw_os_error() == Some(libc::EOPNOTSUPP) => continue,
            namespace => namespace?,
        };
        match request(&namespace, NS_GET_USERNS) {
            Ok(owner) => println!("{kind} {}", name(&owner)?),
            Err(Errno::EPERM) => println!("{kind} beyond"),
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

fn open(pid: &str, kind: &str, number: libc::Ioctl) -> io::Result<OwnedFd> {
    let number_of_pid: i32 = pid.parse().map_err(io::Error::other)?;
    // SAFETY: pidfd_open takes only integers, and nothing else owns what it returns.
    let pidfd = unsafe {
        let pidfd = Errno::result(libc::syscall(libc::SYS_pidfd_open, number_of_pid, 0))?;
        OwnedFd::from_raw_fd(pidfd as i32)
    };
    match request(&pidfd, 0xFF00 | number) {
        Err(Errno::ENOTTY) => Ok(File::open(format!("/proc/{pid}/ns/{kind}"))?.into()),
        namespace => Ok(namespace?),
    }
}

fn request(about: &OwnedFd, request: libc::Ioctl) -> nix::Result<OwnedFd> {
    // SAFETY: these requests take no argument, or 0, and nothing else owns what they return.
    unsafe {
        let fd = Errno::result(libc::ioctl(about.as_raw_fd(), request, 0))?;
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

fn creator(user: &OwnedFd) -> io::Result<u32> {
    let mut uid = 0u32;
    // SAFETY: NS_GET_OWNER_UID writes 32 bits.
    Errno::result(unsafe { libc::ioctl(user.as_raw_fd(), NS_GET_OWNER_UID, &raw mut uid) })?;
    Ok(uid)
}

fn name(namespace: &OwnedFd) -> io::Result<String> {
    Ok(format!("user:[{}]", File::from(namespace.try_clone()?).metadata()?.ino()))
}
