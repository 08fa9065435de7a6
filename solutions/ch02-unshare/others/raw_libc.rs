//! Uses only libc: fork(2), unshare(2) in the child, and exec.

use std::ffi::CString;

fn main() {
    let words: Vec<CString> =
        std::env::args().skip(1).map(|word| CString::new(word).unwrap()).collect();
    let (name, command) = (&words[0], &words[2..]);
    let mut argv: Vec<_> = command.iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());
    // SAFETY: this process has one thread; every pointer is a C string that outlives its call.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            if libc::unshare(libc::CLONE_NEWUTS) != 0
                || libc::sethostname(name.as_ptr(), name.as_bytes().len()) != 0
            {
                libc::_exit(1);
            }
            libc::execvp(argv[0], argv.as_ptr());
            libc::_exit(127);
        }
        let mut status = 0;
        libc::waitpid(pid, &raw mut status, 0);
        libc::_exit(libc::WEXITSTATUS(status));
    }
}
