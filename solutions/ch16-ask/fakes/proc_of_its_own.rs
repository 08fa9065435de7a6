//! Refused by step 4: it never asks a pidfd, but mounts a proc of its own where nobody sees it, which takes CAP_SYS_ADMIN.

use std::ffi::{CString, OsString};
use std::fs::File;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::path::Path;
use std::process::ExitCode;
use std::ptr;

use anyhow::{Context as _, Result, anyhow};
use libc::{NS_GET_OWNER_UID, NS_GET_PARENT, NS_GET_USERNS};
use nix::errno::Errno;
use nix::sys::stat::fstat;

/// The kinds of namespace that a user namespace owns.
const OWNED: [&str; 7] = ["mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let pid = match words.as_slice() {
        [pid] => pid.to_str().and_then(|pid| pid.parse().ok()),
        _ => None,
    };
    let outcome = match pid {
        Some(pid) => ask(pid),
        None => Err(anyhow!("usage: ch16-ask PID")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ch16-ask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Prints the user namespace of the process and all above it, and then the owners of its other
/// namespaces.
fn ask(pid: i32) -> Result<()> {
    let proc = proc_root()?;
    let own = open(pid, &proc, "user")?.context("this kernel has no user namespaces")?;
    for user in ancestors(own)? {
        println!("user {} uid {}", name(&user)?, creator(&user)?);
    }
    for kind in OWNED {
        // A kind that this kernel does not have has no owner.
        let Some(namespace) = open(pid, &proc, kind)? else { continue };
        match owner(&namespace)? {
            Some(owner) => println!("{kind} {}", name(&owner)?),
            None => println!("{kind} beyond"),
        }
    }
    Ok(())
}

/// Returns a user namespace and all above it that this process may see.
fn ancestors(own: OwnedFd) -> Result<Vec<OwnedFd>> {
    let mut all = vec![own];
    loop {
        match ioctl_fd(&all[all.len() - 1], NS_GET_PARENT) {
            Ok(parent) => all.push(parent),
            // The last one is this process's own, or has no parent.
            Err(Errno::EPERM) => return Ok(all),
            Err(errno) => return Err(errno).context("ioctl(NS_GET_PARENT)"),
        }
    }
}

/// Returns the user namespace that owns this one, or `None` if it is beyond what this process may see.
fn owner(namespace: &OwnedFd) -> Result<Option<OwnedFd>> {
    match ioctl_fd(namespace, NS_GET_USERNS) {
        Ok(owner) => Ok(Some(owner)),
        Err(Errno::EPERM) => Ok(None),
        // Any other errno means that the question failed.
        Err(errno) => Err(errno).context("ioctl(NS_GET_USERNS)"),
    }
}

/// Returns the uid that made this user namespace, as seen from this process's own.
fn creator(user: &OwnedFd) -> Result<u32> {
    let mut uid: libc::uid_t = 0;
    // SAFETY: NS_GET_OWNER_UID writes one uid_t.
    let asked = unsafe { libc::ioctl(user.as_raw_fd(), NS_GET_OWNER_UID, &raw mut uid) };
    Errno::result(asked).context("ioctl(NS_GET_OWNER_UID)")?;
    Ok(uid)
}

/// Opens the process's namespace of this kind, or returns `None` if the kernel does not have the kind.
fn open(pid: i32, proc: &OwnedFd, kind: &str) -> Result<Option<OwnedFd>> {
    match open_at(proc, &format!("self/ns/{kind}")) {
        Ok(_) => {}
        Err(Errno::ENOENT) => return Ok(None),
        Err(errno) => return Err(errno).with_context(|| format!("open(self/ns/{kind})")),
    }
    let path = format!("{pid}/ns/{kind}");
    open_at(proc, &path).map(Some).with_context(|| format!("open({path:?})"))
}

/// Opens a file in a directory.
fn open_at(directory: &OwnedFd, path: &str) -> nix::Result<OwnedFd> {
    let path = CString::new(path).map_err(|_| Errno::EINVAL)?;
    let flags = libc::O_RDONLY | libc::O_CLOEXEC;
    // SAFETY: the path is a C string.
    let fd = unsafe { libc::openat(directory.as_raw_fd(), path.as_ptr(), flags) };
    let fd = Errno::result(fd)?;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Opens the root of a proc file system: of the one on `/proc`, or if that is covered, of another
/// one that is mounted nowhere.
fn proc_root() -> Result<OwnedFd> {
    if Path::new("/proc/self/ns").exists() {
        return Ok(File::open("/proc").context("open(\"/proc\")")?.into());
    }
    let (cloexec, create, none) = (1, 6, ptr::null::<libc::c_char>());
    // SAFETY: the name is a C string, and the kernel has just made each descriptor, which nothing
    // else owns. FSCONFIG_CMD_CREATE takes neither a key nor a value.
    unsafe {
        let fd = libc::syscall(libc::SYS_fsopen, c"proc".as_ptr(), cloexec);
        let fd = Errno::result(fd).context("fsopen(\"proc\")")?;
        let context = OwnedFd::from_raw_fd(fd as _);
        let number = context.as_raw_fd();
        let made = libc::syscall(libc::SYS_fsconfig, number, create, none, none, 0);
        Errno::result(made).context("fsconfig(FSCONFIG_CMD_CREATE)")?;
        let fd = libc::syscall(libc::SYS_fsmount, number, cloexec, 0);
        let fd = Errno::result(fd).context("fsmount()")?;
        Ok(OwnedFd::from_raw_fd(fd as _))
    }
}

/// Makes an ioctl(2) request that returns a new descriptor.
fn ioctl_fd(fd: &OwnedFd, request: libc::Ioctl) -> nix::Result<OwnedFd> {
    // SAFETY: these requests take no argument.
    let fd = Errno::result(unsafe { libc::ioctl(fd.as_raw_fd(), request, 0) })?;
    // SAFETY: the kernel has just made this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The name as `/proc/PID/ns` shows it: `user:[4026531837]`.
fn name(user: &OwnedFd) -> Result<String> {
    Ok(format!("user:[{}]", fstat(user).context("fstat()")?.st_ino))
}
