//! What the kernel's part costs by itself: one clone(2), the mounts of a root directory, one execve(2).
//! There is one level, no reaper, no limits and no observer, so this is no sandbox.

use std::ffi::CStr;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::exit;

use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::unistd::{chdir, execv, getegid, geteuid, pivot_root};

const PROGRAM: &CStr = c"/usr/bin/true";

/// Namespaces of seven kinds and an exec.
pub(super) fn bare() -> Result<(), String> {
    child_after(|| Ok(()))
}

/// The same with id maps, and with a root directory as the sandbox has it: `/usr` read-only, six
/// devices, a new `/proc`, a `/tmp`.
pub(super) fn with_root() -> Result<(), String> {
    let (uid, gid) = (geteuid(), getegid());
    child_after(|| {
        fs::write("/proc/self/setgroups", "deny")?;
        fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
        fs::write("/proc/self/gid_map", format!("0 {gid} 1"))?;
        change_root()
    })
}

/// Creates a child in seven new namespaces, in which it does `work` and executes [`PROGRAM`].
fn child_after(work: impl FnOnce() -> std::io::Result<()>) -> Result<(), String> {
    let flags = libc::CLONE_NEWUSER
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWCGROUP;
    // SAFETY: without a stack of its own the child runs on a copy of this one, as after fork(2), and
    // this process has one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags | libc::SIGCHLD, 0, 0, 0, 0) } as i32;
    if pid == 0 {
        if work().is_ok() {
            _ = execv(PROGRAM, &[PROGRAM]);
        }
        exit(127);
    }
    Errno::result(pid).map_err(|errno| format!("clone: {errno}"))?;
    let mut status = 0;
    // SAFETY: waitpid writes one int.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    if status == 0 { Ok(()) } else { Err(format!("the child ended with wait status {status}")) }
}

fn change_root() -> std::io::Result<()> {
    let none = None::<&str>;
    let (bind, safe) = (MsFlags::MS_BIND | MsFlags::MS_REC, MsFlags::MS_NOSUID | MsFlags::MS_NODEV);
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    let mut devices = Vec::new();
    for name in ["full", "null", "random", "tty", "urandom", "zero"] {
        devices.push((format!("/dev/{name}"), format!("dev/{name}")));
    }
    mount(Some("tmpfs"), "/mnt", Some("tmpfs"), safe, none)?;
    chdir("/mnt")?;
    for folder in ["usr", "dev", "proc", "tmp"] {
        fs::create_dir(folder)?;
    }
    mount(Some("/usr"), "usr", none, bind, none)?;
    let read_only = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | safe;
    mount(none, "usr", none, read_only, none)?;
    for name in ["bin", "lib", "lib64"] {
        symlink(format!("usr/{name}"), name)?;
    }
    for (device, inside) in devices {
        fs::write(&inside, "")?;
        mount(Some(device.as_str()), inside.as_str(), none, bind, none)?;
    }
    mount(Some("proc"), "proc", Some("proc"), safe | MsFlags::MS_NOEXEC, none)?;
    mount(Some("tmpfs"), "tmp", Some("tmpfs"), safe, none)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")?;
    Ok(())
}
