//! All in the child, before std's exec: slaves, not private; /share first; out of the old root by fchdir(2).

use std::ffi::{CStr, CString, OsString};
use std::io::{Error, Result};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, exit};
use std::ptr;

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    if words.len() < 4 || words[2] != "--" {
        eprintln!("usage: ch08-root ROOT SHARE -- COMMAND [ARGS…]");
        exit(2);
    }
    let string = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap();
    let (root, share) = (Path::new(&words[0]), Path::new(&words[1]));
    let places = Places {
        proc: string(&root.join("proc")),
        target: string(&root.join("share")),
        root: string(root),
        share: string(share),
    };
    let mut command = Command::new(&words[3]);
    command.args(&words[4..]);
    // SAFETY: the closure makes system calls and allocates nothing.
    unsafe { command.pre_exec(move || places.enter()) };
    match command.status() {
        Ok(status) => exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))),
        Err(error) => {
            eprintln!("either the root or {:?} failed: {error}", words[3]);
            exit(127)
        }
    }
}

struct Places {
    root: CString,
    proc: CString,
    share: CString,
    target: CString,
}

fn check(result: libc::c_int) -> Result<libc::c_int> {
    if result < 0 { Err(Error::last_os_error()) } else { Ok(result) }
}

fn mount(from: &CStr, to: &CStr, flags: libc::c_ulong) -> Result<()> {
    // SAFETY: C strings and null pointers.
    let done = unsafe { libc::mount(from.as_ptr(), to.as_ptr(), ptr::null(), flags, ptr::null()) };
    check(done).map(drop)
}

fn open(path: &CStr) -> Result<libc::c_int> {
    let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
    // SAFETY: a C string.
    check(unsafe { libc::open(path.as_ptr(), flags) })
}

impl Places {
    fn enter(&self) -> Result<()> {
        use libc::{MS_BIND, MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY, MS_REC, MS_REMOUNT};
        // SAFETY: integers.
        check(unsafe { libc::unshare(libc::CLONE_NEWNS) })?;
        mount(c"none", c"/", MS_REC | libc::MS_SLAVE)?;
        mount(&self.root, &self.root, MS_BIND | MS_REC)?;
        mount(&self.share, &self.target, MS_BIND | MS_REC)?;
        let flags = MS_RDONLY | MS_NOSUID | MS_NODEV;
        // If what is bound there is `noexec`, that flag may not be dropped.
        let remount = MS_REMOUNT | MS_BIND | flags;
        mount(c"none", &self.target, remount)
            .or_else(|_| mount(c"none", &self.target, remount | MS_NOEXEC))?;
        mount(c"/proc", &self.proc, MS_BIND | MS_REC)?;

        let (old, new) = (open(c"/")?, open(&self.root)?);
        // SAFETY: C strings and descriptors of this process.
        unsafe {
            check(libc::fchdir(new))?;
            let pivot = libc::syscall(libc::SYS_pivot_root, c".".as_ptr(), c".".as_ptr());
            check(pivot as libc::c_int)?;
            // The old root lies on the new one. Go there, to take it away.
            check(libc::fchdir(old))?;
            check(libc::mount(
                ptr::null(),
                c".".as_ptr(),
                ptr::null(),
                MS_REC | libc::MS_PRIVATE,
                ptr::null(),
            ))?;
            check(libc::umount2(c".".as_ptr(), libc::MNT_DETACH))?;
            check(libc::chdir(c"/".as_ptr()))?;
            libc::close(old);
            libc::close(new);
            // All others close at the exec, inherited ones too.
            libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 4u32);
            libc::umask(0o022);
        }
        Ok(())
    }
}
