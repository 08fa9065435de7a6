//! Only a thread leaves; the tmpfs is filled before it is attached anywhere (fsopen, fsmount, move_mount).

use std::ffi::{CStr, CString, OsString};
use std::fs::File;
use std::io::{Error, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};
use std::ptr;
use std::thread;

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if words.len() < 4 || words[2] != "--" {
        eprintln!("usage: ch07-mount DIR TEXT -- COMMAND [ARGS…]");
        exit(2);
    }
    println!("main thread: I stay where I am");
    let worker = thread::spawn(move || work(&words));
    match worker.join() {
        Ok(Ok(code)) => exit(code),
        Ok(Err(text)) => {
            eprintln!("{text}");
            exit(1)
        }
        Err(_) => exit(101),
    }
}

fn check(what: &str, result: libc::c_long) -> Result<i32, String> {
    match result {
        0.. => Ok(result as i32),
        _ => Err(format!("{what} did not work: {}", Error::last_os_error())),
    }
}

fn owned(fd: i32) -> OwnedFd {
    // SAFETY: only called with a descriptor that the kernel has just made.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// A tmpfs that is attached nowhere.
fn tmpfs() -> Result<OwnedFd, String> {
    const FSCONFIG_SET_STRING: libc::c_uint = 1;
    const FSCONFIG_CMD_CREATE: libc::c_uint = 6;
    let none = ptr::null::<libc::c_char>();
    // SAFETY: C strings, null pointers and integers.
    unsafe {
        let fs = check("fsopen", libc::syscall(libc::SYS_fsopen, c"tmpfs".as_ptr(), 1u32))?;
        let fs = owned(fs);
        let fd = fs.as_raw_fd();
        let set = |key: &CStr, value: &CStr| {
            let (key, value) = (key.as_ptr(), value.as_ptr());
            let set = libc::syscall(libc::SYS_fsconfig, fd, FSCONFIG_SET_STRING, key, value, 0i32);
            check("fsconfig", set)
        };
        set(c"size", c"1m")?;
        set(c"mode", c"0755")?;
        let made = libc::syscall(libc::SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, none, none, 0i32);
        check("making a tmpfs", made)?;
        let mount = check("fsmount", libc::syscall(libc::SYS_fsmount, fd, 1u32, 0u32))?;
        Ok(owned(mount))
    }
}

fn work(words: &[OsString]) -> Result<i32, String> {
    let dir = CString::new(words[0].as_bytes()).map_err(|error| error.to_string())?;
    // In a process with several threads, this moves the calling one.
    // SAFETY: an integer.
    check("unshare", unsafe { libc::unshare(libc::CLONE_NEWNS) }.into())?;
    let none = ptr::null();
    let slave = libc::MS_SLAVE | libc::MS_REC;
    // SAFETY: a C string and null pointers.
    let slave = unsafe { libc::mount(none, c"/".as_ptr(), none, slave, ptr::null()) };
    check("becoming a slave", slave.into())?;

    let mount = tmpfs()?;
    let flags = libc::O_WRONLY | libc::O_CREAT | libc::O_EXCL | libc::O_CLOEXEC;
    // SAFETY: a C string and integers.
    let file =
        unsafe { libc::openat(mount.as_raw_fd(), c"token".as_ptr(), flags, 0o644 as libc::c_uint) };
    let mut file = File::from(owned(check("making the token", file.into())?));
    file.write_all(words[1].as_bytes()).map_err(|error| format!("the token: {error}"))?;
    drop(file);
    // MOVE_MOUNT_F_EMPTY_PATH
    // SAFETY: C strings and integers.
    let moved = unsafe {
        let (from, to) = (c"".as_ptr(), dir.as_ptr());
        libc::syscall(libc::SYS_move_mount, mount.as_raw_fd(), from, libc::AT_FDCWD, to, 4u32)
    };
    check("attaching the tmpfs", moved)?;
    drop(mount);

    println!("worker thread: it is mounted");
    let status = Command::new(&words[3])
        .args(&words[4..])
        .status()
        .map_err(|error| format!("{:?} cannot run: {error}", words[3]))?;
    Ok(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)))
}
