//! Named: SHARE is never made read-only
//! The bind mount is there, and "read-only" has been put off until later.

use std::path::Path;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::unistd::{chdir, pivot_root};

fn bind(from: &Path, to: &Path) {
    let flags = MsFlags::MS_BIND | MsFlags::MS_REC;
    mount(Some(from), to, None::<&str>, flags, None::<&str>).expect("bind");
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (root, share) = (Path::new(&words[0]), Path::new(&words[1]));
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>)
        .expect("slave");
    bind(root, root);
    bind(Path::new("/proc"), &root.join("proc"));
    bind(share, &root.join("share"));
    chdir(root).expect("chdir");
    pivot_root(".", ".").expect("pivot_root");
    umount2(".", MntFlags::MNT_DETACH).expect("umount2");
    chdir("/").expect("chdir");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
