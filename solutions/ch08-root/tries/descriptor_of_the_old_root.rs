//! Named: a directory descriptor leads back
//! The old root is kept open to unmount it, as runc does, but without O_CLOEXEC.

use std::process::{Command, exit};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (root, share) = (words[0].as_str(), format!("{}/share", words[0]));
    let none = None::<&str>;
    let bind = MsFlags::MS_BIND | MsFlags::MS_REC;
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).unwrap();
    mount(Some(root), root, none, bind, none).unwrap();
    mount(Some("/proc"), format!("{root}/proc").as_str(), none, bind, none).unwrap();
    mount(Some(words[1].as_str()), share.as_str(), none, bind, none).unwrap();
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    let flags = read_only | MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    mount(none, share.as_str(), none, flags, none).unwrap();
    // SAFETY: the path is a C string.
    let old = unsafe { libc::open(c"/".as_ptr(), libc::O_RDONLY | libc::O_DIRECTORY) };
    chdir(root).unwrap();
    pivot_root(".", ".").unwrap();
    // SAFETY: takes an integer.
    if old < 0 || unsafe { libc::fchdir(old) } < 0 {
        eprintln!("fchdir: {}", std::io::Error::last_os_error());
        exit(1);
    }
    umount2(".", MntFlags::MNT_DETACH).unwrap();
    chdir("/").unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
