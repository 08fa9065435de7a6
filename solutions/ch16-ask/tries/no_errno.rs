//! Named: the message does not name the error
//! The error is dropped before it is printed.

use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::fs::MetadataExt as _;

use nix::errno::Errno;

fn get(of: &File, request: libc::Ioctl) -> Result<File, Errno> {
    // SAFETY: the request takes no argument and returns a new descriptor.
    Errno::result(unsafe { libc::ioctl(of.as_raw_fd(), request, 0) })
        .map(|fd| unsafe { File::from_raw_fd(fd) })
}

fn creator(user: &File) -> u32 {
    let mut uid = 0u32;
    // SAFETY: the kernel writes a uid.
    unsafe { libc::ioctl(user.as_raw_fd(), libc::NS_GET_OWNER_UID, &mut uid) };
    uid
}

fn name(user: &File) -> String {
    format!("user:[{}]", user.metadata().unwrap().ino())
}

/// The pidfd first, and then /proc.
fn open(pid: i32, kind: &str, number: libc::Ioctl) -> Result<File, Errno> {
    // SAFETY: integers only, and the descriptor is new.
    let pidfd = unsafe {
        let fd = Errno::result(libc::syscall(libc::SYS_pidfd_open, pid, 0))?;
        File::from_raw_fd(fd as i32)
    };
    match get(&pidfd, 0xFF00 + number) {
        Err(Errno::ENOTTY) => File::open(format!("/proc/{pid}/ns/{kind}"))
            .map_err(|error| Errno::from_raw(error.raw_os_error().unwrap_or(0))),
        other => other,
    }
}

const KINDS: [(&str, libc::Ioctl); 7] =
    [("mnt", 3), ("pid", 5), ("net", 4), ("uts", 10), ("ipc", 2), ("cgroup", 1), ("time", 7)];

fn run(pid: i32) -> Result<(), Errno> {
    let mut user = open(pid, "user", 9)?;
    loop {
        println!("user {} uid {}", name(&user), creator(&user));
        user = match get(&user, libc::NS_GET_PARENT) {
            Err(Errno::EPERM) => break,
            parent => parent?,
        };
    }
    for (kind, number) in KINDS {
        match get(&open(pid, kind, number)?, libc::NS_GET_USERNS) {
            Ok(owner) => println!("{kind} {}", name(&owner)),
            Err(Errno::EPERM) => println!("{kind} beyond"),
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn main() {
    let pid = std::env::args().nth(1).and_then(|pid| pid.parse().ok());
    let Some(Ok(())) = pid.map(run) else {
        eprintln!("ch16-ask: could not ask about that process");
        std::process::exit(1)
    };
}
