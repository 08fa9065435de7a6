//! Uses only libc, and no child: the program moves to a new user namespace, writes its own maps there,
//! and executes COMMAND in its own place.

use std::ffi::{CStr, CString};

fn main() {
    let words: Vec<CString> =
        std::env::args().skip(1).map(|word| CString::new(word).unwrap()).collect();
    let (uid, gid) = (words[0].to_str().unwrap(), words[1].to_str().unwrap());
    let mut argv: Vec<_> = words[3..].iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());
    // SAFETY: this process has one thread. Every pointer is a C string that outlives its call.
    unsafe {
        // Read now, because after unshare(2) both are 65534 until they are mapped.
        let (own_uid, own_gid) = (libc::getuid(), libc::getgid());
        if libc::unshare(libc::CLONE_NEWUSER) != 0 {
            libc::perror(c"unshare(CLONE_NEWUSER)".as_ptr());
            libc::_exit(1);
        }
        write(c"/proc/self/uid_map", &format!("{uid} {own_uid} 1\n"));
        write(c"/proc/self/setgroups", "deny");
        write(c"/proc/self/gid_map", &format!("{gid} {own_gid} 1\n"));
        libc::execvp(argv[0], argv.as_ptr());
        libc::perror(argv[0]);
        libc::_exit(127);
    }
}

fn write(path: &CStr, text: &str) {
    // SAFETY: `path` is a C string, and `text` is as long as it says.
    unsafe {
        let fd = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if fd < 0 || libc::write(fd, text.as_ptr().cast(), text.len()) != text.len() as isize {
            libc::perror(path.as_ptr());
            libc::_exit(1);
        }
        libc::close(fd);
    }
}
