//! Only the child leaves, in std's pre_exec, and tidies up: descriptors, umask, title; waitid(2) on a pidfd.

use std::ffi::OsString;
use std::io::Error;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

fn main() {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let [name, dashes, command, args @ ..] = words.as_slice() else {
        eprintln!("NAME -- COMMAND [ARGS…], please");
        exit(64)
    };
    if dashes != "--" {
        eprintln!("NAME -- COMMAND [ARGS…], please");
        exit(64)
    }
    let name = name.as_bytes().to_vec();
    let mut child = Command::new(command);
    child.args(args);
    // SAFETY: the closure makes system calls and allocates nothing.
    unsafe {
        child.pre_exec(move || {
            let check = |result: libc::c_int| {
                if result == 0 { Ok(()) } else { Err(Error::last_os_error()) }
            };
            libc::umask(0o027);
            libc::prctl(libc::PR_SET_NAME, c"almost-there".as_ptr(), 0, 0, 0);
            check(libc::unshare(libc::CLONE_NEWUTS))?;
            check(libc::sethostname(name.as_ptr().cast(), name.len()))?;
            // CLOSE_RANGE_CLOEXEC: they close at the exec, so std's own pipe works until then.
            libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, 4u32);
            Ok(())
        });
    }
    let child = match child.spawn() {
        Ok(child) => child,
        Err(error) => {
            eprintln!("no luck with {command:?}: {error}");
            exit(127)
        }
    };
    // SAFETY: pidfd_open takes integers, and the child has not been reaped.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, child.id(), 0) };
    let (kind, id) = match pidfd {
        0.. => (libc::P_PIDFD, pidfd as libc::id_t),
        _ => (libc::P_PID, child.id()),
    };
    loop {
        // SAFETY: zeroes are a valid siginfo_t, which waitid fills in.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        // SAFETY: `info` outlives the call.
        if unsafe { libc::waitid(kind, id, &raw mut info, libc::WEXITED) } == 0 {
            // SAFETY: after waitid the field is there.
            let status = unsafe { info.si_status() };
            exit(if info.si_code == libc::CLD_EXITED { status } else { 128 + status })
        }
        let error = Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINTR) {
            eprintln!("lost my child: {error}");
            exit(1)
        }
    }
}
