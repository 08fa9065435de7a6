//! Uses only libc, and no child: the program joins, and then executes COMMAND in its own place.

use std::ffi::CString;

fn main() {
    let words: Vec<CString> =
        std::env::args().skip(1).map(|word| CString::new(word).unwrap()).collect();
    // SAFETY: this process has one thread. Every pointer is null or a C string that outlives its call.
    unsafe {
        if words[0].as_bytes() == b"pin" {
            let source =
                CString::new(format!("/proc/{}/ns/uts", words[1].to_str().unwrap())).unwrap();
            let fd = libc::open(
                words[2].as_ptr(),
                libc::O_CREAT | libc::O_WRONLY | libc::O_CLOEXEC,
                0o600,
            );
            let null = std::ptr::null();
            if fd < 0
                || libc::mount(source.as_ptr(), words[2].as_ptr(), null, libc::MS_BIND, null.cast())
                    != 0
            {
                libc::perror(c"pin".as_ptr());
                libc::_exit(1);
            }
            libc::_exit(0);
        }
        let target = libc::syscall(libc::SYS_pidfd_open, libc::atoi(words[0].as_ptr()), 0);
        let kinds = libc::CLONE_NEWNET | libc::CLONE_NEWUTS | libc::CLONE_NEWIPC;
        if target < 0 || libc::setns(target as i32, kinds) != 0 {
            libc::perror(c"join".as_ptr());
            libc::_exit(1);
        }
        let mut argv: Vec<_> = words[2..].iter().map(|word| word.as_ptr()).collect();
        argv.push(std::ptr::null());
        libc::execvp(argv[0], argv.as_ptr());
        libc::_exit(127);
    }
}
