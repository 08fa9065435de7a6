//! Named: the end by a signal is not 128 plus its number
//! Only a child that exits has a status here, and any other end is 1.

use std::mem::{size_of, zeroed};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, sethostname};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut pidfd: i32 = -1;
    // SAFETY: zeros are a valid clone_args.
    let mut cl = unsafe { zeroed::<libc::clone_args>() };
    cl.flags = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD) as u64;
    cl.pidfd = &raw mut pidfd as u64;
    cl.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: there is one thread.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut cl, size_of::<libc::clone_args>()) };
    if pid == 0 {
        if sethostname(&args[1]).is_err() {
            exit(1);
        }
        eprintln!("{}", Command::new(&args[3]).args(&args[4..]).exec());
        exit(127);
    }
    let code = match waitpid(Pid::from_raw(pid as i32), None)? {
        WaitStatus::Exited(_, code) => code,
        _ => 1,
    };
    exit(code)
}
