//! Named: the signal goes to every process
//! kill(-1) is so convenient in a container: all processes are meant.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

fn set() -> libc::sigset_t {
    // SAFETY: `set` is initialized by the first call.
    unsafe {
        let mut set = std::mem::zeroed();
        libc::sigemptyset(&mut set);
        for signal in [1, 2, 3, 10, 12, 15, libc::SIGCHLD] {
            libc::sigaddset(&mut set, signal);
        }
        set
    }
}

fn look_after(child: i32, everybody: bool) -> ! {
    let (mut signal, mut status) = (0, 0);
    loop {
        // SAFETY: all pointers outlive the calls.
        unsafe {
            libc::sigwait(&set(), &mut signal);
            if signal != libc::SIGCHLD {
                libc::kill(if everybody { -1 } else { child }, signal);
            }
            loop {
                let pid = libc::waitpid(-1, &mut status, libc::WNOHANG);
                if pid == child {
                    exit(match libc::WIFEXITED(status) {
                        true => libc::WEXITSTATUS(status),
                        false => 128 + libc::WTERMSIG(status),
                    });
                } else if pid <= 0 {
                    break;
                }
            }
        }
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    // SAFETY: there is one thread in each process.
    unsafe {
        libc::sigprocmask(libc::SIG_BLOCK, &set(), std::ptr::null_mut());
        assert_eq!(libc::unshare(libc::CLONE_NEWPID), 0, "unshare");
        match libc::fork() {
            0 => {}
            init => look_after(init, false),
        }
        match libc::fork() {
            0 => {}
            command => look_after(command, true),
        }
        libc::sigprocmask(libc::SIG_UNBLOCK, &set(), std::ptr::null_mut());
    }
    eprintln!("{}", Command::new(&words[0]).args(&words[1..]).exec());
    exit(127)
}
