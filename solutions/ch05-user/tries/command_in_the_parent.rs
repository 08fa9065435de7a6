//! Named: COMMAND does not come from the new child
//! The child gets its namespace and its maps, and then the parent starts COMMAND.

use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let flags = libc::CLONE_NEWUSER | libc::SIGCHLD;
    // SAFETY: without a stack the child runs on a copy of this one.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags as libc::c_long, 0, 0, 0, 0) };
    if pid == 0 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        exit(0);
    }
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    std::fs::write(format!("/proc/{pid}/setgroups"), "deny").expect("setgroups");
    std::fs::write(format!("/proc/{pid}/uid_map"), format!("{} {uid} 1", words[0])).expect("uid");
    std::fs::write(format!("/proc/{pid}/gid_map"), format!("{} {gid} 1", words[1])).expect("gid");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    // SAFETY: a null pointer stands for a status that is not wanted.
    unsafe { libc::waitpid(pid as i32, std::ptr::null_mut(), 0) };
    exit(status.code().unwrap_or(1));
}
