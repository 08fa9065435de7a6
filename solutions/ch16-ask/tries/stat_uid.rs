//! Named: the owner of the file is taken for the creator
//! `ls -l` shows an owner, and so does stat(2).

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
    user.metadata().unwrap().uid()
}

fn name(user: &File) -> String {
    format!("user:[{}]", user.metadata().unwrap().ino())
}

fn open(pid: &str, kind: &str) -> File {
    let path = format!("/proc/{pid}/ns/{kind}");
    File::open(&path).unwrap_or_else(|error| {
        eprintln!("{path}: {error}");
        std::process::exit(1)
    })
}

fn main() {
    let pid = std::env::args().nth(1).unwrap();
    let mut user = open(&pid, "user");
    loop {
        println!("user {} uid {}", name(&user), creator(&user));
        let Ok(parent) = get(&user, libc::NS_GET_PARENT) else { break };
        user = parent;
    }
    for kind in ["mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        match get(&open(&pid, kind), libc::NS_GET_USERNS) {
            Ok(owner) => println!("{kind} {}", name(&owner)),
            Err(_) => println!("{kind} beyond"),
        }
    }
}
