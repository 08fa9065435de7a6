//! Uses only libc, and no child: the program changes its root, and executes COMMAND in its own place.

use std::ffi::{CStr, CString};

fn check(name: &CStr, result: i64) {
    if result < 0 {
        // SAFETY: `name` is a C string.
        unsafe {
            libc::perror(name.as_ptr());
            libc::_exit(1);
        }
    }
}

fn bind(source: &CStr, target: &CStr) {
    let (null, flags) = (std::ptr::null(), libc::MS_BIND | libc::MS_REC);
    // SAFETY: both pointers are C strings that outlive the call.
    let bound = unsafe { libc::mount(source.as_ptr(), target.as_ptr(), null, flags, null.cast()) };
    check(c"bind", bound.into());
}

fn main() {
    let words: Vec<CString> =
        std::env::args().skip(1).map(|word| CString::new(word).unwrap()).collect();
    let null = std::ptr::null();
    // SAFETY: this process has one thread. Every pointer is null or a C string that outlives its call.
    unsafe {
        check(c"unshare", libc::unshare(libc::CLONE_NEWNS).into());
        let slave = libc::MS_SLAVE | libc::MS_REC;
        check(c"slave", libc::mount(null, c"/".as_ptr(), null, slave, null.cast()).into());
        bind(&words[0], &words[0]);
        check(c"chdir", libc::chdir(words[0].as_ptr()).into());
        // The targets are relative to ROOT, and SHARE is an absolute path.
        bind(&words[1], c"share");
        bind(c"/proc", c"proc");
        let read_only = libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY;
        let flags = read_only | libc::MS_NODEV | libc::MS_NOSUID | libc::MS_NOEXEC;
        check(c"remount", libc::mount(null, c"share".as_ptr(), null, flags, null.cast()).into());
        let here = c".".as_ptr();
        check(c"pivot_root", libc::syscall(libc::SYS_pivot_root, here, here));
        check(c"umount2", libc::umount2(here, libc::MNT_DETACH).into());
        check(c"chdir", libc::chdir(c"/".as_ptr()).into());
        let mut argv: Vec<_> = words[3..].iter().map(|word| word.as_ptr()).collect();
        argv.push(null);
        check(c"execv", libc::execv(argv[0], argv.as_ptr()).into());
    }
}
