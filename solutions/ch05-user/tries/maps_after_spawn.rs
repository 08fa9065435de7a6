//! Named: COMMAND is started before its ids are mapped
//! The child leaves in `pre_exec`, and the parent writes the maps when `spawn` has returned, which is after
//! the execve.

use std::os::unix::process::CommandExt;
use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut command = Command::new(&words[3]);
    command.args(&words[4..]);
    // SAFETY: a single system call.
    unsafe {
        command.pre_exec(|| {
            if libc::unshare(libc::CLONE_NEWUSER) == 0 {
                Ok(())
            } else {
                Err(std::io::Error::last_os_error())
            }
        });
    }
    let mut child = command.spawn().expect("spawn");
    let proc = format!("/proc/{}", child.id());
    std::fs::write(format!("{proc}/setgroups"), "deny").expect("setgroups");
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    std::fs::write(format!("{proc}/uid_map"), format!("{} {uid} 1", words[0])).expect("uid_map");
    std::fs::write(format!("{proc}/gid_map"), format!("{} {gid} 1", words[1])).expect("gid_map");
    let status = child.wait().expect("wait");
    std::process::exit(status.code().unwrap_or(1));
}
