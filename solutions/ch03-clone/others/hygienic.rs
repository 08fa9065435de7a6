//! Closes what it has inherited, clears COMMAND's environment, and renames itself.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: nothing has been opened so far, and every pointer is a C string.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0);
        libc::umask(0o077);
        libc::prctl(libc::PR_SET_NAME, c"parent".as_ptr());
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
        libc::setpgid(0, 0);
    }
    std::env::set_current_dir("/").expect("chdir");
    let mut pidfd = -1;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: this process has one thread, and without a stack of its own the child runs on a copy of its
    // parent's. The kernel writes one int.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0) as i32 };
    if pid == 0 {
        nix::unistd::sethostname(&words[0]).expect("sethostname");
        let error = Command::new(&words[2]).args(&words[3..]).env_clear().exec();
        eprintln!("execve: {error}");
        // SAFETY: the call takes an integer and does not return.
        unsafe { libc::_exit(127) }
    }
    let mut status = 0;
    // SAFETY: waitpid writes one int.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    let status = ExitStatus::from_raw(status);
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}
