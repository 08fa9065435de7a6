//! /proc first, and the pidfd only where /proc does not answer; recursive; prints when everything is known.

use std::ffi::{CString, OsString};
use std::io::Error;
use std::mem::zeroed;
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::process::ExitCode;

/// Each kind with its `PIDFD_GET_*_NAMESPACE`.
const KINDS: [(&str, libc::Ioctl); 8] = [
    ("user", 0xFF09),
    ("cgroup", 0xFF01),
    ("ipc", 0xFF02),
    ("mnt", 0xFF03),
    ("net", 0xFF04),
    ("pid", 0xFF05),
    ("time", 0xFF07),
    ("uts", 0xFF0A),
];

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let pid = match words.as_slice() {
        [pid] => pid.to_str().and_then(|pid| pid.parse::<libc::pid_t>().ok()),
        _ => None,
    };
    let Some(pid @ 1..) = pid else {
        eprintln!("usage: ch16-ask PID");
        return ExitCode::from(2);
    };
    match ask(pid) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("no answer about {pid}: {text}");
            ExitCode::from(1)
        }
    }
}

fn errno() -> i32 {
    Error::last_os_error().raw_os_error().unwrap_or(0)
}

fn words(what: &str, errno: i32) -> String {
    format!("{what}: {}", Error::from_raw_os_error(errno))
}

/// An ioctl(2) that returns a descriptor, or an errno.
fn request(fd: &OwnedFd, request: libc::Ioctl) -> Result<OwnedFd, i32> {
    // SAFETY: an integer as the argument, which must be 0 or is ignored.
    let new = unsafe { libc::ioctl(fd.as_raw_fd(), request, 0 as libc::c_long) };
    if new < 0 {
        return Err(errno());
    }
    // SAFETY: a new descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(new) })
}

fn open(path: &str) -> Result<OwnedFd, i32> {
    let path = CString::new(path).unwrap();
    // SAFETY: a C string.
    let fd = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
    if fd < 0 {
        return Err(errno());
    }
    // SAFETY: a new descriptor.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Whether what is mounted on /proc is a proc.
fn has_proc() -> bool {
    let Ok(proc) = open("/proc") else { return false };
    // SAFETY: zeroes are valid, and fstatfs fills it in.
    unsafe {
        let mut about: libc::statfs = zeroed();
        libc::fstatfs(proc.as_raw_fd(), &raw mut about) == 0 && about.f_type as i64 == 0x9fa0
    }
}

fn ask(pid: libc::pid_t) -> Result<String, String> {
    // SAFETY: integers.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0u32) };
    if fd < 0 {
        return Err(words("pidfd_open", errno()));
    }
    // SAFETY: a new descriptor.
    let process = unsafe { OwnedFd::from_raw_fd(fd as i32) };
    let proc = has_proc();
    let mut found = Vec::new();
    for (kind, question) in KINDS {
        let namespace = if proc {
            // A kind for which this process has no link does not exist.
            if let Err(libc::ENOENT) = open(&format!("/proc/self/ns/{kind}")) {
                continue;
            }
            open(&format!("/proc/{pid}/ns/{kind}"))
        } else {
            match request(&process, question) {
                Err(libc::EOPNOTSUPP) => continue,
                other => other,
            }
        };
        found.push((kind, namespace.map_err(|errno| words(&format!("its {kind}"), errno))?));
    }
    // If it is still there, the files in /proc were those of this process.
    if proc {
        let none = std::ptr::null::<libc::siginfo_t>();
        // SAFETY: integers and a null pointer.
        let alive = unsafe {
            libc::syscall(libc::SYS_pidfd_send_signal, process.as_raw_fd(), 0, none, 0u32)
        };
        if alive != 0 && errno() == libc::ESRCH {
            return Err("it has ended".to_owned());
        }
    }
    let mut text = String::new();
    for (kind, namespace) in &found {
        if *kind == "user" {
            text += &climb(namespace)?;
            continue;
        }
        text += &match request(namespace, libc::NS_GET_USERNS) {
            Ok(owner) => format!("{kind} {}\n", name(&owner)?),
            Err(libc::EPERM) => format!("{kind} beyond\n"),
            Err(errno) => return Err(words("its owner", errno)),
        };
    }
    Ok(text)
}

/// The lines for this user namespace and all above it.
fn climb(user: &OwnedFd) -> Result<String, String> {
    let mut uid: libc::uid_t = 0;
    // SAFETY: the request writes one uid_t.
    if unsafe { libc::ioctl(user.as_raw_fd(), libc::NS_GET_OWNER_UID, &raw mut uid) } != 0 {
        return Err(words("its creator", errno()));
    }
    let line = format!("user {} uid {uid}\n", name(user)?);
    match request(user, libc::NS_GET_PARENT) {
        Ok(parent) => Ok(line + &climb(&parent)?),
        Err(libc::EPERM) => Ok(line),
        Err(errno) => Err(words("its parent", errno)),
    }
}

fn name(user: &OwnedFd) -> Result<String, String> {
    // SAFETY: zeroes are valid, and fstat fills it in.
    unsafe {
        let mut about: libc::stat = zeroed();
        match libc::fstat(user.as_raw_fd(), &raw mut about) {
            0 => Ok(format!("user:[{}]", about.st_ino)),
            _ => Err(words("fstat", errno())),
        }
    }
}
