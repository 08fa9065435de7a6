//! clone3(2) makes both namespaces at once and a pidfd; the child mounts, and closes all it has; raw libc.

use std::ffi::CString;
use std::io::Error;
use std::os::unix::ffi::OsStringExt as _;
use std::process::exit;
use std::ptr;

fn main() {
    let words: Vec<CString> =
        std::env::args_os().skip(1).map(|word| CString::new(word.into_vec()).unwrap()).collect();
    if words.len() < 2 || words[0].as_c_str() != c"--" {
        eprintln!("usage: ch09-pid -- COMMAND [ARGS…]");
        exit(2);
    }
    let mut pidfd: libc::c_int = -1;
    // SAFETY: zero means "not requested" in every field.
    let mut request: libc::clone_args = unsafe { std::mem::zeroed() };
    request.flags = (libc::CLONE_NEWPID | libc::CLONE_NEWNS | libc::CLONE_PIDFD) as u64;
    request.pidfd = &raw mut pidfd as u64;
    request.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: no stack of its own, and one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const request, size_of_val(&request)) };
    match pid {
        0 => child(&words[1..]),
        1.. => {
            println!("the child is {pid} here and 1 there");
            // SAFETY: zeroes are a valid siginfo_t, which waitid fills in.
            unsafe {
                let mut info: libc::siginfo_t = std::mem::zeroed();
                let id = pidfd as libc::id_t;
                while libc::waitid(libc::P_PIDFD, id, &raw mut info, libc::WEXITED) != 0 {
                    if Error::last_os_error().raw_os_error() != Some(libc::EINTR) {
                        eprintln!("waitid: {}", Error::last_os_error());
                        exit(1);
                    }
                }
                match info.si_code {
                    libc::CLD_EXITED => exit(info.si_status()),
                    _ => exit(128 + info.si_status()),
                }
            }
        }
        _ => {
            eprintln!("clone3: {}", Error::last_os_error());
            exit(1)
        }
    }
}

fn child(command: &[CString]) -> ! {
    let none = ptr::null();
    // SAFETY: C strings, null pointers and integers.
    unsafe {
        if libc::mount(none, c"/".as_ptr(), none, libc::MS_SLAVE | libc::MS_REC, ptr::null()) != 0 {
            fail("slaves", 1);
        }
        let flags = libc::MS_NOSUID | libc::MS_NOEXEC | libc::MS_NODEV;
        let proc = c"proc".as_ptr();
        if libc::mount(proc, c"/proc".as_ptr(), proc, flags, ptr::null()) != 0 {
            fail("proc", 1);
        }
        libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 0u32);
        libc::signal(libc::SIGPIPE, libc::SIG_DFL);
        let mut args: Vec<*const libc::c_char> = command.iter().map(|word| word.as_ptr()).collect();
        args.push(ptr::null());
        libc::execvp(args[0], args.as_ptr());
    }
    fail("no command", 127)
}

fn fail(what: &str, code: i32) -> ! {
    eprintln!("{what}: {}", Error::last_os_error());
    exit(code)
}
