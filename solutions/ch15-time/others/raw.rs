//! Uses only libc: fork(2), and one write for each clock.

use std::ffi::CString;

fn main() {
    let words: Vec<CString> =
        std::env::args().skip(1).map(|word| CString::new(word).unwrap()).collect();
    // SAFETY: this process has one thread, and every pointer is valid for its call.
    unsafe {
        assert!(libc::unshare(libc::CLONE_NEWTIME) == 0, "unshare");
        let path = c"/proc/self/timens_offsets".as_ptr();
        for (clock, seconds) in [("boottime", &words[1]), ("monotonic", &words[0])] {
            let line = format!("{clock} {} 0\n", seconds.to_str().unwrap());
            let file = libc::open(path, libc::O_WRONLY | libc::O_CLOEXEC);
            assert!(libc::write(file, line.as_ptr().cast(), line.len()) > 0, "write");
            libc::close(file);
        }
        let child = libc::fork();
        if child == 0 {
            let mut argv: Vec<_> = words[3..].iter().map(|word| word.as_ptr()).collect();
            argv.push(std::ptr::null());
            libc::execvp(argv[0], argv.as_ptr());
            libc::_exit(127);
        }
        let mut status = 0;
        libc::waitpid(child, &mut status, 0);
        libc::_exit(libc::WEXITSTATUS(status));
    }
}
