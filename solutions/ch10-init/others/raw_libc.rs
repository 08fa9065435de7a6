//! Uses only libc: clone3(2) makes PID 1, which dies with its parent, and sigwaitinfo(2) takes the
//! signals.

use std::ffi::CString;
use std::mem::zeroed;
use std::ptr::null_mut;

unsafe fn look_after(child: libc::pid_t, held: &libc::sigset_t) -> i32 {
    // SAFETY: every pointer is valid for its call.
    unsafe {
        loop {
            let signal = libc::sigwaitinfo(held, null_mut());
            if signal > 0 && signal != libc::SIGCHLD {
                libc::kill(child, signal);
            }
            let (mut status, mut pid) = (0, 1);
            while pid > 0 {
                pid = libc::waitpid(-1, &raw mut status, libc::WNOHANG);
                if pid == child && libc::WIFEXITED(status) {
                    return libc::WEXITSTATUS(status);
                } else if pid == child {
                    return 128 + libc::WTERMSIG(status);
                }
            }
        }
    }
}

fn main() {
    let words: Vec<CString> =
        std::env::args().skip(2).map(|word| CString::new(word).unwrap()).collect();
    let mut argv: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());
    // SAFETY: this process has one thread. All zeroes are a valid value of each of the structs, and
    // every pointer is valid for its call.
    unsafe {
        let (mut held, mut before): (libc::sigset_t, libc::sigset_t) = (zeroed(), zeroed());
        libc::sigfillset(&raw mut held);
        libc::sigprocmask(libc::SIG_SETMASK, &raw const held, &raw mut before);
        let mut args: libc::clone_args = zeroed();
        args.flags = libc::CLONE_NEWPID as u64;
        args.exit_signal = libc::SIGCHLD as u64;
        let init = libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args));
        if init < 0 {
            libc::perror(c"clone3".as_ptr());
            libc::_exit(1);
        }
        if init > 0 {
            libc::_exit(look_after(init as libc::pid_t, &held));
        }
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        let child = libc::fork();
        if child > 0 {
            libc::_exit(look_after(child, &held));
        }
        libc::sigprocmask(libc::SIG_SETMASK, &raw const before, null_mut());
        libc::execvp(argv[0], argv.as_ptr());
        libc::perror(c"execvp".as_ptr());
        libc::_exit(127);
    }
}
