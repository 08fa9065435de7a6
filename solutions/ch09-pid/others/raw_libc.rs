//! Uses only libc. The parent leaves its mount namespace as well, before the fork, but it is still the
//! child that mounts /proc.

use std::ffi::CString;

fn main() {
    let words: Vec<CString> =
        std::env::args().skip(2).map(|word| CString::new(word).unwrap()).collect();
    let mut argv: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());
    // SAFETY: this process has one thread. Every pointer is null or a C string that outlives its call.
    unsafe {
        if libc::unshare(libc::CLONE_NEWNS | libc::CLONE_NEWPID) != 0 {
            libc::perror(c"unshare".as_ptr());
            libc::_exit(1);
        }
        let (proc, null) = (c"proc".as_ptr(), std::ptr::null());
        libc::mount(null, c"/".as_ptr(), null, libc::MS_REC | libc::MS_SLAVE, null.cast());
        let pid = libc::fork();
        if pid == 0 {
            if libc::mount(proc, c"/proc".as_ptr(), proc, 0, null.cast()) != 0 {
                libc::perror(c"mount".as_ptr());
                libc::_exit(1);
            }
            libc::execvp(argv[0], argv.as_ptr());
            libc::_exit(127);
        }
        let mut status = 0;
        libc::waitpid(pid, &raw mut status, 0);
        let signal = libc::WTERMSIG(status);
        libc::_exit(if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + signal });
    }
}
