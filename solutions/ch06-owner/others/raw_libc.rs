//! Uses only libc, and no child: the program moves itself, and then executes COMMAND in its own place.

use std::ffi::{CStr, CString, c_int};

fn main() {
    let words: Vec<CString> =
        std::env::args().skip(1).map(|word| CString::new(word).unwrap()).collect();
    let mut argv: Vec<_> = words[2..].iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());
    // SAFETY: this process has one thread. Every pointer is a C string that outlives its call.
    unsafe {
        let (uid, gid) = (libc::getuid(), libc::getgid());
        let flags =
            libc::CLONE_NEWIPC | libc::CLONE_NEWUSER | libc::CLONE_NEWUTS | libc::CLONE_NEWNET;
        must(libc::unshare(flags), c"unshare");
        // The caller has its new capabilities at once, before any map is written.
        must(libc::sethostname(words[0].as_ptr(), words[0].as_bytes().len()), c"sethostname");
        write(c"/proc/self/uid_map", &format!("0 {uid} 1\n"));
        write(c"/proc/self/setgroups", "deny");
        write(c"/proc/self/gid_map", &format!("0 {gid} 1\n"));
        libc::execvp(argv[0], argv.as_ptr());
        libc::perror(argv[0]);
        libc::_exit(127);
    }
}

fn must(result: c_int, call: &CStr) {
    if result < 0 {
        // SAFETY: `call` is a C string, and no destructor has to run.
        unsafe {
            libc::perror(call.as_ptr());
            libc::_exit(1);
        }
    }
}

fn write(path: &CStr, text: &str) {
    // SAFETY: `path` is a C string, and `text` is as long as it says.
    unsafe {
        let fd = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        must(fd, path);
        must(libc::write(fd, text.as_ptr().cast(), text.len()) as c_int, path);
        libc::close(fd);
    }
}
