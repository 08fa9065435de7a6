//! As container runtimes do it: O_PATH descriptors of both roots, fchdir(2), and shared mounts again at the
//! end, for namespaces made from this one.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, exit};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, fchdir, pivot_root};

const NONE: Option<&str> = None;

fn open(path: &Path) -> File {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    OpenOptions::new().read(true).custom_flags(flags).open(path).expect("open")
}

fn bind(source: &Path, target: &Path) {
    mount(Some(source), target, NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE).expect("bind");
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [root, share] = [&words[0], &words[1]].map(Path::new);
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    for kind in [MsFlags::MS_SLAVE, MsFlags::MS_PRIVATE] {
        mount(NONE, "/", NONE, MsFlags::MS_REC | kind, NONE).expect("propagation");
    }
    bind(root, root);
    bind(Path::new("/proc"), &root.join("proc"));
    let target = root.join("share");
    bind(share, &target);
    let kept = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let remount = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    mount(NONE, &target, NONE, remount | kept, NONE).expect("read-only");
    let (old, new) = (open(Path::new("/")), open(root));
    fchdir(&new).expect("fchdir");
    pivot_root(".", ".").expect("pivot_root");
    fchdir(&old).expect("fchdir");
    umount2(".", MntFlags::MNT_DETACH).expect("umount2");
    fchdir(&new).expect("fchdir");
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SHARED, NONE).expect("shared");
    chdir("/").expect("chdir");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}
