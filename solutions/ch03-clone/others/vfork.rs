//! Calls clone3(2) with CLONE_VFORK, so that it goes on when COMMAND has been executed, and waits for the
//! pidfd.

use std::ffi::{CString, c_int};
use std::ptr;

fn main() {
    let words: Vec<CString> =
        std::env::args().skip(1).map(|word| CString::new(word).unwrap()).collect();
    let mut argv: Vec<_> = words[2..].iter().map(|word| word.as_ptr()).collect();
    argv.push(ptr::null());
    let mut pidfd: c_int = -1;
    // SAFETY: all zeroes are a valid clone_args and siginfo_t. Without a stack of its own the child runs on
    // a copy of its parent's. Every pointer is valid for its call.
    unsafe {
        let mut args: libc::clone_args = std::mem::zeroed();
        let kinds = libc::CLONE_NEWIPC | libc::CLONE_NEWUTS;
        args.flags = (kinds | libc::CLONE_PIDFD | libc::CLONE_VFORK) as u64;
        args.pidfd = &raw mut pidfd as u64;
        args.exit_signal = libc::SIGCHLD as u64;
        let pid = libc::syscall(libc::SYS_clone3, &raw mut args, size_of::<libc::clone_args>());
        if pid == 0 {
            libc::sethostname(words[0].as_ptr(), words[0].as_bytes().len());
            libc::execvp(argv[0], argv.as_ptr());
            libc::perror(argv[0]);
            libc::_exit(127);
        }
        let mut about: libc::siginfo_t = std::mem::zeroed();
        libc::waitid(libc::P_PIDFD, pidfd as libc::id_t, &raw mut about, libc::WEXITED);
        let status = about.si_status();
        libc::_exit(if about.si_code == libc::CLD_EXITED { status } else { 128 + status });
    }
}
