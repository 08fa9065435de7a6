//! Refused by step 3: a moment after COMMAND has started its host name is another.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, exit};
use std::time::Duration;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut pidfd = -1;
    let flags = libc::CLONE_NEWUTS | libc::CLONE_NEWIPC | libc::CLONE_PIDFD | libc::SIGCHLD;
    // SAFETY: this process has one thread, and without a stack of its own the child runs on a copy of its
    // parent's. The kernel writes one int.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, &raw mut pidfd, 0, 0) as i32 };
    if pid == 0 {
        nix::unistd::sethostname(&words[0]).expect("sethostname");
        let error = Command::new(&words[2]).args(&words[3..]).exec();
        eprintln!("execve: {error}");
        exit(127);
    }
    let uts = std::fs::File::open(format!("/proc/{pid}/ns/uts")).expect("open");
    // SAFETY: this process has one thread.
    let helper = unsafe { libc::fork() };
    if helper == 0 {
        std::thread::sleep(Duration::from_millis(30));
        nix::sched::setns(uts, nix::sched::CloneFlags::CLONE_NEWUTS).expect("setns");
        nix::unistd::sethostname("localhost").expect("sethostname");
        exit(0);
    }
    let mut status = 0;
    // SAFETY: waitpid writes one int.
    unsafe {
        libc::waitpid(helper, &raw mut status, 0);
        libc::waitpid(pid, &raw mut status, 0);
    }
    let status = ExitStatus::from_raw(status);
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}
