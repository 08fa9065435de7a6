//! Named: the new namespace still has the old name
//! Everything is new, and nothing has been named yet.

use std::mem::{size_of, zeroed};
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

fn main() -> anyhow::Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (_name, command, rest) = (&words[0], &words[2], &words[3..]);
    let mut pidfd: i32 = -1;
    // SAFETY: zeros are a valid clone_args.
    let mut cl = unsafe { zeroed::<libc::clone_args>() };
    cl.flags = (libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD) as u64;
    cl.pidfd = &raw mut pidfd as u64;
    cl.exit_signal = libc::SIGCHLD as u64;
    // SAFETY: there is one thread.
    let pid =
        unsafe { libc::syscall(libc::SYS_clone3, &raw mut cl, size_of::<libc::clone_args>()) };
    match pid {
        ..0 => Err(std::io::Error::last_os_error())?,
        0 => {
            let error = Command::new(command).args(rest).exec();
            eprintln!("{command}: {error}");
            exit(127)
        }
        pid => match waitpid(Pid::from_raw(pid as i32), None)? {
            WaitStatus::Exited(_, code) => exit(code),
            WaitStatus::Signaled(_, signal, _) => exit(128 + signal as i32),
            _ => exit(1),
        },
    }
}
