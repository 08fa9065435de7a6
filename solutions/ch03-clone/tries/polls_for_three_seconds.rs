//! Named: the wait has a limit
//! The parent waits three seconds for the pidfd, which it takes for long enough.

use std::ffi::CString;
use std::io::Error;
use std::os::unix::ffi::OsStringExt as _;
use std::process::exit;
use std::ptr;

fn main() {
    let words: Vec<CString> =
        std::env::args_os().map(|word| CString::new(word.into_vec()).unwrap()).collect();
    if words.len() < 4 || words[2].as_c_str() != c"--" {
        eprintln!("usage: ch03-clone NAME -- COMMAND [ARGS…]");
        exit(2);
    }
    // All that the child needs is made before it is born.
    let mut args: Vec<*const libc::c_char> = words[3..].iter().map(|word| word.as_ptr()).collect();
    args.push(ptr::null());
    let mut pidfd: libc::c_int = -1;
    let flags = libc::CLONE_NEWIPC | libc::CLONE_NEWUTS | libc::CLONE_PIDFD | libc::SIGCHLD;
    // The third argument is where clone(2) puts the pidfd.
    // SAFETY: without a stack the child has a copy of this one; there is one thread.
    let pid = unsafe {
        libc::syscall(
            libc::SYS_clone,
            libc::c_long::from(flags),
            0 as libc::c_long,
            &raw mut pidfd,
            0 as libc::c_long,
            0 as libc::c_long,
        )
    };
    match pid {
        -1 => {
            eprintln!("could not make a child: {}", Error::last_os_error());
            exit(1)
        }
        0 => child(words[1].as_bytes(), &args),
        _ => exit(watch(pidfd)),
    }
}

fn child(name: &[u8], args: &[*const libc::c_char]) -> ! {
    // SAFETY: the pointers are those of `main`, of which this process has a copy.
    unsafe {
        if libc::sethostname(name.as_ptr().cast(), name.len()) != 0 {
            eprintln!("could not set the host name: {}", Error::last_os_error());
            libc::_exit(1);
        }
        libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 0u32);
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        libc::execvp(args[0], args.as_ptr());
        eprintln!("could not become the command: {}", Error::last_os_error());
        libc::_exit(127)
    }
}

fn watch(pidfd: libc::c_int) -> i32 {
    let mut one = libc::pollfd { fd: pidfd, events: libc::POLLIN, revents: 0 };
    // SAFETY: one pollfd. A pidfd is readable when the process has ended.
    if unsafe { libc::poll(&raw mut one, 1, 3000) } != 1 {
        return 0;
    }
    // SAFETY: zeroes are a valid siginfo_t, which waitid fills in.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        if libc::waitid(libc::P_PIDFD, pidfd as libc::id_t, &raw mut info, libc::WEXITED) != 0 {
            eprintln!("could not wait: {}", Error::last_os_error());
            return 1;
        }
        libc::close(pidfd);
        match info.si_code {
            libc::CLD_EXITED => info.si_status(),
            _ => 128 + info.si_status(),
        }
    }
}
