//! Starts slowly, prints a lot on both streams, and lets the child wait for its parent.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    std::thread::sleep(std::time::Duration::from_millis(300));
    for line in 0..2000 {
        println!("{line}: a child will be born");
        eprintln!("{line}: nothing has gone wrong so far");
    }
    let (mut go, tell) = std::io::pipe().expect("pipe");
    let mut pidfd = -1;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: this process has one thread, and without a stack of its own the child runs on a copy of its
    // parent's. The kernel writes one int.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0) as i32 };
    if pid == 0 {
        drop(tell);
        _ = std::io::Read::read(&mut go, &mut [0]);
        nix::unistd::sethostname(&words[0]).expect("sethostname");
        let error = Command::new(&words[2]).args(&words[3..]).exec();
        eprintln!("execve: {error}");
        // SAFETY: the call takes an integer and does not return.
        unsafe { libc::_exit(127) }
    }
    println!("the child is {pid}, and its pidfd {pidfd}");
    drop(tell);
    let mut status = 0;
    // SAFETY: waitpid writes one int.
    unsafe { libc::waitpid(pid, &raw mut status, 0) };
    let status = ExitStatus::from_raw(status);
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}
