//! Named: the answers are about your own program
//! The pid is read and then forgotten: every path begins with /proc/self.

use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _};
use std::os::unix::fs::MetadataExt as _;

use nix::errno::Errno;

fn get(of: &File, request: libc::Ioctl) -> Result<File, Errno> {
    // SAFETY: the request takes no argument and returns a new descriptor.
    Errno::result(unsafe { libc::ioctl(of.as_raw_fd(), request, 0) })
        .map(|fd| unsafe { File::from_raw_fd(fd) })
}

fn main() {
    let pid: u32 = std::env::args().nth(1).and_then(|pid| pid.parse().ok()).expect("a pid");
    assert!(std::path::Path::new("/proc").join(pid.to_string()).exists(), "no such process");
    let ns = |kind: &str| File::open(format!("/proc/self/ns/{kind}")).unwrap();
    let mut users = vec![ns("user")];
    while let Ok(parent) = get(users.last().unwrap(), libc::NS_GET_PARENT) {
        users.push(parent);
    }
    for user in users {
        let mut uid = 0u32;
        // SAFETY: the kernel writes a uid.
        unsafe { libc::ioctl(user.as_raw_fd(), libc::NS_GET_OWNER_UID, &raw mut uid) };
        println!("user user:[{}] uid {uid}", user.metadata().unwrap().ino());
    }
    for kind in ["mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let owner = get(&ns(kind), libc::NS_GET_USERNS);
        let owner = owner.map(|owner| format!("user:[{}]", owner.metadata().unwrap().ino()));
        println!("{kind} {}", owner.as_deref().unwrap_or("beyond"));
    }
}
