//! Calls the raw clone(2), with flags and exit signal in one word, and gets the pidfd from the same
//! call.

use std::ffi::{CString, c_int};

fn main() {
    let words: Vec<CString> =
        std::env::args().skip(1).map(|word| CString::new(word).unwrap()).collect();
    let (name, command) = (&words[0], &words[2..]);
    let mut argv: Vec<_> = command.iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    let mut pidfd: c_int = -1;
    // SAFETY: this process has one thread. Without a stack of its own the child runs on a copy of its
    // parent's. Every pointer is valid for its call.
    unsafe {
        let pid = libc::syscall(libc::SYS_clone, flags as libc::c_long, 0, &raw mut pidfd, 0, 0);
        if pid == 0 {
            if libc::sethostname(name.as_ptr(), name.as_bytes().len()) != 0 {
                libc::_exit(1);
            }
            libc::execvp(argv[0], argv.as_ptr());
            libc::_exit(127);
        }
        let mut status = 0;
        libc::waitpid(pid as i32, &raw mut status, 0);
        libc::close(pidfd);
        let signal = libc::WTERMSIG(status);
        libc::_exit(if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + signal });
    }
}
