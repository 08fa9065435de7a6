//! Named: the size is not that of clone_args
//! The size that clone3(2) is given is that of the pointer, and no version of the struct is so small.

use std::mem::{size_of_val, zeroed};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use anyhow::{Result, bail};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{Pid, sethostname};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut pidfd = -1;
    // SAFETY: zeros are a valid clone_args.
    let mut cl: libc::clone_args = unsafe { zeroed() };
    cl.flags = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD) as u64;
    cl.pidfd = &mut pidfd as *mut i32 as u64;
    cl.exit_signal = libc::SIGCHLD as u64;
    let cl = &cl;
    // SAFETY: there is one thread.
    match unsafe { libc::syscall(libc::SYS_clone3, cl, size_of_val(&cl)) } {
        -1 => bail!("clone3: {}", std::io::Error::last_os_error()),
        0 => {
            sethostname(&args[1])?;
            let _ = Command::new(&args[3]).args(&args[4..]).exec();
            exit(127)
        }
        pid => match waitpid(Pid::from_raw(pid as i32), None)? {
            WaitStatus::Exited(_, code) => exit(code),
            WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
            _ => exit(1),
        },
    }
}
