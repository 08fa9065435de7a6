//! Named: another process made the call
//! fork, everything in the child, exit, and COMMAND is started by the parent.

use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: this process has one thread.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork");
    if pid == 0 {
        use nix::mount::{MsFlags, mount};
        let none = None::<&str>;
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).expect("unshare");
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).expect("slave");
        mount(none, words[0].as_str(), Some("tmpfs"), MsFlags::empty(), none).expect("tmpfs");
        std::fs::write(format!("{}/token", words[0]), &words[1]).expect("token");
        std::process::exit(0);
    }
    // SAFETY: a null pointer stands for a status that is not wanted.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
