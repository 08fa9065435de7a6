//! Named: signals are not passed on
//! Both processes only wait, and the first one that gets a signal dies of it.

use std::fs;
use std::process::{Command, exit};

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, chdir, fork, getegid, geteuid, pivot_root, sethostname};

fn main() {
    if let Err(error) = run() {
        eprintln!("{error}");
        exit(127);
    }
}

fn run() -> std::io::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").expect("usage");
    let option = |name: &str| {
        let place = words[..at].iter().position(|word| word == name);
        place.map(|place| words[place + 1].as_str())
    };
    let (uid, gid) = (geteuid(), getegid());
    let kinds = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWCGROUP
        | CloneFlags::from_bits_retain(libc::CLONE_NEWTIME);
    unshare(kinds)?;
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("0 {uid} 1"))?;
    fs::write("/proc/self/gid_map", format!("0 {gid} 1"))?;
    if let Some(name) = option("--hostname") {
        sethostname(name)?;
    }
    // SAFETY: there is one thread.
    match unsafe { fork()? } {
        ForkResult::Parent { child } => match waitpid(child, None)? {
            WaitStatus::Exited(_, code) => exit(code),
            _ => exit(1),
        },
        ForkResult::Child => {
            enter(&words[at - 1], option("--rw"))?;
            let started = Command::new(&words[at + 1]).args(&words[at + 2..]).status();
            let status = started.unwrap_or_else(|error| {
                eprintln!("{}: {error}", words[at + 1]);
                exit(127)
            });
            exit(status.code().unwrap_or(1))
        }
    }
}

/// Makes `root` the root directory, read-only but for `writable`.
fn enter(root: &str, writable: Option<&str>) -> nix::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(Some(root), root, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
    chdir(root)?;
    if let Some(path) = writable {
        let path = path.trim_start_matches('/');
        mount(Some(path), path, none, MsFlags::MS_BIND, none)?;
    }
    set_attributes(".", libc::AT_RECURSIVE, libc::MOUNT_ATTR_RDONLY, 0)?;
    if let Some(path) = writable {
        set_attributes(path.trim_start_matches('/'), 0, 0, libc::MOUNT_ATTR_RDONLY)?;
    }
    mount(Some("proc"), "proc", Some("proc"), MsFlags::empty(), none)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    chdir("/")
}

fn set_attributes(path: &str, how: i32, attr_set: u64, attr_clr: u64) -> nix::Result<()> {
    let path = std::ffi::CString::new(path).expect("no zero byte");
    // SAFETY: zeroes change nothing, and both pointers are to values that outlive the call.
    let done = unsafe {
        let mut change: libc::mount_attr = std::mem::zeroed();
        (change.attr_set, change.attr_clr) = (attr_set, attr_clr);
        let (call, path, size) = (libc::SYS_mount_setattr, path.as_ptr(), size_of_val(&change));
        libc::syscall(call, libc::AT_FDCWD, path, how, &raw const change, size)
    };
    nix::errno::Errno::result(done).map(drop)
}
