//! Named: the mount namespace belongs to another user namespace
//! Points at: mount("proc"
//! As in an example without root: a user and a PID namespace, and then /proc.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    // SAFETY: there is one thread, and the strings outlive the calls.
    unsafe {
        if libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWPID) != 0 {
            eprintln!("unshare: {}", std::io::Error::last_os_error());
            exit(1);
        }
        let pid = libc::fork();
        if pid == 0 {
            let proc = c"proc".as_ptr();
            if libc::mount(proc, c"/proc".as_ptr(), proc, 0, std::ptr::null()) != 0 {
                eprintln!("proc: {}", std::io::Error::last_os_error());
                exit(1);
            }
            let error = Command::new(&words[0]).args(&words[1..]).exec();
            eprintln!("{error}");
            exit(127);
        }
        let mut status = 0;
        libc::waitpid(pid, &mut status, 0);
        exit(if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 1 });
    }
}
