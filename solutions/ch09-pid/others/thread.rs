//! A thread calls unshare(2), forks and waits. The main thread stays in both of the lab's namespaces.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};
use std::thread;

use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn mount_proc() -> nix::Result<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    mount(none, "/proc", Some("proc"), MsFlags::empty(), none)
}

fn run(words: &[String]) -> i32 {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: the other thread only waits for this one, and holds no lock.
    let child = Errno::result(unsafe { libc::fork() }).expect("fork");
    if child == 0 {
        // A panic would end this thread, and with it the process: successfully.
        if let Err(errno) = mount_proc() {
            eprintln!("mount_proc: {errno}");
            exit(1);
        }
        eprintln!("execve: {}", command.exec());
        exit(127);
    }
    let mut status = 0;
    // SAFETY: waitpid writes one int.
    Errno::result(unsafe { libc::waitpid(child, &raw mut status, 0) }).expect("waitpid");
    if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 128 + libc::WTERMSIG(status) }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    exit(thread::spawn(move || run(&words)).join().expect("a status"));
}
