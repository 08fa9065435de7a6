//! Calls clone3(2), so that the child is born in the new namespace.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: all zeroes are a valid clone_args. Without a stack of its own the child runs on a copy of
    // its parent's, as after fork(2), and this process has one thread.
    let pid = unsafe {
        let mut args: libc::clone_args = std::mem::zeroed();
        args.flags = libc::CLONE_NEWUTS as u64;
        args.exit_signal = libc::SIGCHLD as u64;
        libc::syscall(libc::SYS_clone3, &raw const args, size_of::<libc::clone_args>())
    };
    assert!(pid >= 0, "clone3: {}", std::io::Error::last_os_error());
    if pid == 0 {
        nix::unistd::sethostname(&words[0]).expect("sethostname");
        panic!("execve: {}", Command::new(&words[2]).args(&words[3..]).exec());
    }
    let mut status = 0;
    // SAFETY: waitpid writes one int.
    unsafe { libc::waitpid(pid as i32, &raw mut status, 0) };
    std::process::exit(ExitStatus::from_raw(status).code().unwrap_or(1));
}
