//! Named: a process in the lab makes the segment
//! clone(2) puts COMMAND into a new namespace, and its parent makes what it is to find.

use std::ffi::CString;
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let queue = CString::new(format!("/{}", args[2])).unwrap();
    let mut pipe = [0; 2];
    // SAFETY: there is one thread, the child has memory of its own, and all pointers outlive the calls.
    unsafe {
        libc::pipe(pipe.as_mut_ptr());
        let flags = (libc::CLONE_NEWIPC | libc::SIGCHLD) as libc::c_long;
        let pid = libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0);
        if pid == 0 {
            let mut byte = [0u8];
            libc::close(pipe[1]);
            libc::read(pipe[0], byte.as_mut_ptr().cast(), 1);
            libc::close(pipe[0]);
            let error = Command::new(&args[4]).args(&args[5..]).exec();
            eprintln!("{error}");
            exit(127);
        }
        let id = libc::shmget(args[1].parse().unwrap(), 4096, libc::IPC_CREAT | 0o600);
        let start = libc::shmat(id, std::ptr::null(), 0).cast::<u8>();
        start.copy_from(args[2].as_ptr(), args[2].len());
        let attributes: *mut libc::mq_attr = std::ptr::null_mut();
        libc::mq_open(queue.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, attributes);
        libc::close(pipe[0]);
        libc::close(pipe[1]);
        let mut status = 0;
        libc::waitpid(pid as i32, &mut status, 0);
        exit(if libc::WIFEXITED(status) { libc::WEXITSTATUS(status) } else { 1 });
    }
}
