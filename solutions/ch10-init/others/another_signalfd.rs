//! clone3(2), a signalfd(2) on which both processes poll(2), waitid(2), and pidfd_send_signal(2); raw libc.

use std::ffi::{CString, OsStr};
use std::io::Error;
use std::mem::{size_of, zeroed};
use std::os::unix::ffi::OsStrExt as _;
use std::process::exit;
use std::ptr;

const PASSED: [libc::c_int; 6] =
    [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT, libc::SIGUSR2, libc::SIGUSR1];

fn main() {
    let words: Vec<CString> = std::env::args_os().skip(1).map(|word| string(&word)).collect();
    if words.len() < 2 || words[0].as_c_str() != c"--" {
        eprintln!("usage: ch10-init -- COMMAND [ARGS…]");
        exit(2);
    }
    // SAFETY: zeroes are a valid set, and sigemptyset fills it in anyway.
    let (mut held, mut before): (libc::sigset_t, libc::sigset_t) = unsafe { (zeroed(), zeroed()) };
    // SAFETY: the sets outlive the calls, and SIG_DFL is no handler.
    unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
        libc::sigemptyset(&raw mut held);
        libc::sigaddset(&raw mut held, libc::SIGCHLD);
        for signal in PASSED {
            libc::sigaddset(&raw mut held, signal);
        }
        if libc::sigprocmask(libc::SIG_BLOCK, &raw const held, &raw mut before) != 0 {
            fail("holding signals back", 1);
        }
    }
    let Some(init) = born(libc::CLONE_NEWPID) else {
        // PID 1 from here on.
        let Some(command) = born(0) else { become_command(&words[1..], &before) };
        exit(look_after(command, &held))
    };
    exit(look_after(init, &held))
}

fn string(word: &OsStr) -> CString {
    CString::new(word.as_bytes()).expect("an argument has no zero byte")
}

fn fail(what: &str, code: i32) -> ! {
    eprintln!("{what}: {}", Error::last_os_error());
    exit(code)
}

/// `None` in the child, its pid and a pidfd in the parent.
fn born(flags: libc::c_int) -> Option<(libc::pid_t, libc::c_int)> {
    let mut pidfd: libc::c_int = -1;
    // SAFETY: zero means "not requested" in every field.
    let mut request: libc::clone_args = unsafe { zeroed() };
    request.flags = (flags | libc::CLONE_PIDFD) as u64;
    request.pidfd = &raw mut pidfd as u64;
    request.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: no stack of its own, and one thread.
    let pid = unsafe {
        libc::syscall(libc::SYS_clone3, &raw const request, size_of::<libc::clone_args>())
    };
    match pid {
        0 => None,
        1.. => Some((pid as libc::pid_t, pidfd)),
        _ => fail("clone3", 1),
    }
}

fn become_command(command: &[CString], before: &libc::sigset_t) -> ! {
    let mut args: Vec<*const libc::c_char> = command.iter().map(|word| word.as_ptr()).collect();
    args.push(ptr::null());
    // SAFETY: the list ends with a null pointer, and the set outlives the call.
    unsafe {
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::sigprocmask(libc::SIG_SETMASK, before, ptr::null_mut());
        libc::execvp(args[0], args.as_ptr());
    }
    fail("COMMAND does not start", 127)
}

fn look_after((pid, pidfd): (libc::pid_t, libc::c_int), held: &libc::sigset_t) -> i32 {
    // SAFETY: the set outlives the call.
    let signals = unsafe { libc::signalfd(-1, held, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK) };
    if signals < 0 {
        fail("signalfd", 1);
    }
    loop {
        let mut wait = libc::pollfd { fd: signals, events: libc::POLLIN, revents: 0 };
        // SAFETY: one pollfd.
        unsafe { libc::poll(&raw mut wait, 1, -1) };
        let mut children = false;
        loop {
            // SAFETY: zeroes are valid, and read fills it in.
            let mut info: libc::signalfd_siginfo = unsafe { zeroed() };
            let size = size_of::<libc::signalfd_siginfo>();
            // SAFETY: that many bytes are there.
            let read = unsafe { libc::read(signals, (&raw mut info).cast(), size) };
            if read != size as isize {
                break;
            }
            match info.ssi_signo as libc::c_int {
                libc::SIGCHLD => children = true,
                signal => {
                    let none = ptr::null::<libc::siginfo_t>();
                    // If it has just ended, SIGCHLD is next.
                    // SAFETY: integers and a null pointer.
                    unsafe {
                        libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signal, none, 0u32)
                    };
                }
            }
        }
        if children && let Some(status) = reap(pid) {
            return status;
        }
    }
}

/// Reaps everybody who has ended.
fn reap(wanted: libc::pid_t) -> Option<i32> {
    let mut found = None;
    loop {
        // SAFETY: zeroes are valid, and waitid fills it in.
        unsafe {
            let mut info: libc::siginfo_t = zeroed();
            let options = libc::WEXITED | libc::WNOHANG;
            let done = libc::waitid(libc::P_ALL, 0, &raw mut info, options);
            if done != 0 || info.si_pid() == 0 {
                return found;
            }
            if info.si_pid() == wanted {
                let ended = info.si_code == libc::CLD_EXITED;
                found = Some(info.si_status() + if ended { 0 } else { 128 });
            }
        }
    }
}
