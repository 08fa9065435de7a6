//! openat(2) below a directory descriptor, and fstatat(2); every answer is collected before the first is printed.

use std::ffi::{CStr, CString, OsString};
use std::io::{Error, Write as _};
use std::os::fd::{AsRawFd as _, FromRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;

const KINDS: [&CStr; 8] = [c"cgroup", c"ipc", c"mnt", c"net", c"pid", c"time", c"user", c"uts"];

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    if words.len() != 3 {
        eprintln!("I want two process numbers");
        return ExitCode::from(2);
    }
    eprintln!("(comparing {:?} and {:?}, one moment)", words[1], words[2]);
    match compare(&words[1], &words[2]) {
        Ok(text) => {
            let mut out = std::io::stdout().lock();
            if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
                return ExitCode::from(4);
            }
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("cannot compare them: {text}");
            ExitCode::from(3)
        }
    }
}

fn at(dir: i32, path: &CStr, flags: i32) -> Result<OwnedFd, Error> {
    // SAFETY: the path is a C string.
    let fd = unsafe { libc::openat(dir, path.as_ptr(), flags | libc::O_CLOEXEC) };
    if fd < 0 {
        return Err(Error::last_os_error());
    }
    // SAFETY: a new descriptor, nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

fn directory(pid: &OsString) -> Result<OwnedFd, String> {
    if pid.is_empty() || !pid.as_bytes().iter().all(u8::is_ascii_digit) {
        return Err(format!("{pid:?} is no number"));
    }
    let path = CString::new([b"/proc/", pid.as_bytes(), b"/ns"].concat()).unwrap();
    at(libc::AT_FDCWD, &path, libc::O_RDONLY | libc::O_DIRECTORY)
        .map_err(|error| format!("{path:?}: {error}"))
}

fn identity(fd: &OwnedFd) -> Result<(libc::dev_t, libc::ino_t), String> {
    // SAFETY: zeroes are a valid stat.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: an empty path means the descriptor itself.
    let done =
        unsafe { libc::fstatat(fd.as_raw_fd(), c"".as_ptr(), &raw mut stat, libc::AT_EMPTY_PATH) };
    if done != 0 {
        return Err(format!("fstatat: {}", Error::last_os_error()));
    }
    Ok((stat.st_dev, stat.st_ino))
}

fn compare(one: &OsString, two: &OsString) -> Result<String, String> {
    let mine = at(libc::AT_FDCWD, c"/proc/self/ns", libc::O_RDONLY | libc::O_DIRECTORY)
        .map_err(|error| format!("/proc/self/ns: {error}"))?;
    let (first, second) = (directory(one)?, directory(two)?);
    let mut text = String::new();
    for kind in KINDS {
        let name = kind.to_str().unwrap();
        match at(mine.as_raw_fd(), kind, libc::O_RDONLY) {
            Ok(_) => {}
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => continue,
            Err(error) => return Err(format!("my own {name}: {error}")),
        }
        let open = |dir: &OwnedFd, pid: &OsString| {
            at(dir.as_raw_fd(), kind, libc::O_RDONLY)
                .map_err(|error| format!("the {name} namespace of {pid:?}: {error}"))
        };
        // Both stay open while they are compared.
        let (left, right) = (open(&first, one)?, open(&second, two)?);
        let same = identity(&left)? == identity(&right)?;
        text += &format!("{name} {}\n", if same { "same" } else { "other" });
    }
    Ok(text)
}
