//! Named: a call with MS_PRIVATE mounts nothing
//! Points at: mount("proc"
//! The flag that makes a mount private is given to the call that is meant to mount /proc.

use std::ffi::CString;
use std::process::exit;

fn check(what: &str, result: i32) {
    if result < 0 {
        eprintln!("{what}: {}", std::io::Error::last_os_error());
        exit(1);
    }
}

fn main() {
    let words: Vec<CString> = std::env::args().skip(2).map(|w| CString::new(w).unwrap()).collect();
    let mut argv: Vec<_> = words.iter().map(|w| w.as_ptr()).collect();
    argv.push(std::ptr::null());
    let flags = libc::MS_PRIVATE | libc::MS_REC | libc::MS_NOSUID;
    // SAFETY: the strings outlive the calls.
    unsafe {
        check("unshare", libc::unshare(libc::CLONE_NEWPID));
        let pid = libc::fork();
        check("fork", pid);
        if pid == 0 {
            check("unshare", libc::unshare(libc::CLONE_NEWNS));
            let (proc, path) = (c"proc".as_ptr(), c"/proc".as_ptr());
            check("mount", libc::mount(proc, path, proc, flags, std::ptr::null()));
            check("execvp", libc::execvp(argv[0], argv.as_ptr()));
        }
        let mut status = 0;
        check("waitpid", libc::waitpid(pid, &mut status, 0));
        exit(libc::WEXITSTATUS(status));
    }
}
