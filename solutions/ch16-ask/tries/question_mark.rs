//! Named: the edge of the view is taken for a failure
//! The error that ends the climb is passed on with `?`.

use std::fs::File;
use std::io::Result;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::fs::MetadataExt as _;

fn ioctl(file: &File, request: libc::Ioctl) -> Result<File> {
    // SAFETY: the requests take no argument, and what they return is a new descriptor.
    match unsafe { libc::ioctl(file.as_raw_fd(), request) } {
        -1 => Err(std::io::Error::last_os_error()),
        fd => Ok(unsafe { File::from_raw_fd(fd) }),
    }
}

fn main() -> Result<()> {
    let pid = std::env::args().nth(1).expect("usage: ch16-ask PID");
    let open = |kind: &str| File::open(format!("/proc/{pid}/ns/{kind}"));
    let mut user = open("user")?;
    loop {
        let mut uid: libc::uid_t = 0;
        // SAFETY: the request writes a uid_t.
        unsafe { libc::ioctl(user.as_raw_fd(), libc::NS_GET_OWNER_UID, &mut uid) };
        println!("user user:[{}] uid {uid}", user.metadata()?.ino());
        user = ioctl(&user, libc::NS_GET_PARENT)?;
        if user.as_raw_fd() < 0 {
            break;
        }
    }
    for kind in ["mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        match ioctl(&open(kind)?, libc::NS_GET_USERNS) {
            Ok(owner) => println!("{kind} user:[{}]", owner.metadata()?.ino()),
            Err(_) => println!("{kind} beyond"),
        }
    }
    Ok(())
}
