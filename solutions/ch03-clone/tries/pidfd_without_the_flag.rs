//! Named: CLONE_PIDFD is not among the flags
//! clone3(2) is told where to write a pidfd, but not to make one, so the variable keeps its first value.

use std::mem::{size_of, zeroed};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let mut pidfd: i32 = -1;
    // SAFETY: zeros are a valid clone_args.
    let mut cl: libc::clone_args = unsafe { zeroed() };
    cl.flags = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC) as u64;
    cl.pidfd = &raw mut pidfd as u64;
    cl.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: there is one thread, and the struct lives as long as the call.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut cl, size_of::<libc::clone_args>()) };
    if pid == 0 {
        if nix::unistd::sethostname(&args[1]).is_err() {
            exit(1);
        }
        let error = Command::new(&args[3]).args(&args[4..]).exec();
        eprintln!("exec: {error}");
        exit(127);
    }
    assert!(pid > 0, "clone3");
    // SAFETY: zeros are a valid siginfo_t.
    let mut info: libc::siginfo_t = unsafe { zeroed() };
    if unsafe { libc::waitid(libc::P_PIDFD, pidfd as u32, &mut info, libc::WEXITED) } != 0 {
        eprintln!("waitid: {}", std::io::Error::last_os_error());
        exit(1);
    }
    // SAFETY: waitid(2) has filled it.
    let status = unsafe { info.si_status() };
    exit(if info.si_code == libc::CLD_EXITED { status } else { 128 + status });
}
