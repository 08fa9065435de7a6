//! ch16-kind: whether each of these paths is a namespace, and of which kind.

use std::env;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd as _;

use nix::errno::Errno;

const KINDS: [(&str, i32); 8] = [
    ("user", libc::CLONE_NEWUSER),
    ("mnt", libc::CLONE_NEWNS),
    ("pid", libc::CLONE_NEWPID),
    ("net", libc::CLONE_NEWNET),
    ("uts", libc::CLONE_NEWUTS),
    ("ipc", libc::CLONE_NEWIPC),
    ("cgroup", libc::CLONE_NEWCGROUP),
    ("time", libc::CLONE_NEWTIME),
];

fn main() {
    for path in env::args().skip(1) {
        match File::open(&path) {
            Ok(file) => println!("{path}: {}", kind(&file)),
            Err(error) => println!("{path}: open: {:?}", errno(&error)),
        }
    }
}

/// The kernel returns the flag with which a namespace of this kind is made.
fn kind(file: &File) -> String {
    // SAFETY: the request takes no argument.
    let flag = unsafe { libc::ioctl(file.as_raw_fd(), libc::NS_GET_NSTYPE) };
    match KINDS.iter().find(|(_, of_kind)| *of_kind == flag) {
        Some((name, _)) => (*name).to_owned(),
        None => format!("ioctl: {:?}", errno(&io::Error::last_os_error())),
    }
}

fn errno(error: &io::Error) -> Errno {
    Errno::from_raw(error.raw_os_error().unwrap_or(0))
}
