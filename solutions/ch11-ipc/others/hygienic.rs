//! Closes what it has inherited, clears the environment, renames itself, and starts COMMAND in another directory.

use std::ffi::CString;
use std::process::{Command, exit};
use std::ptr;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: nothing has been opened so far, and the name is a C string.
    unsafe {
        libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0);
        libc::prctl(libc::PR_SET_NAME, c"keeper".as_ptr());
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
        libc::umask(0o077);
    }
    unshare(CloneFlags::CLONE_NEWIPC).expect("unshare");
    segment(words[0].parse().expect("a key"), &words[1]);
    queue(&words[1]);
    let status = Command::new(&words[3])
        .args(&words[4..])
        .env_clear()
        .current_dir("/tmp")
        .status()
        .expect("execve");
    exit(status.code().unwrap_or(1));
}

fn segment(key: i32, text: &str) {
    // SAFETY: the kernel chooses a free address, and the text fits into the segment.
    unsafe {
        let id = libc::shmget(key, 4096, libc::IPC_CREAT | 0o600);
        let start = libc::shmat(id, ptr::null(), 0);
        assert!(start as isize != -1, "shmat: {}", std::io::Error::last_os_error());
        ptr::copy_nonoverlapping(text.as_ptr(), start.cast(), text.len());
        libc::shmdt(start);
    }
}

fn queue(name: &str) {
    let path = CString::new(format!("/{name}")).unwrap();
    let none = ptr::null::<libc::mq_attr>();
    // SAFETY: the name is a C string, and without attributes the queue has the default sizes.
    let made = unsafe { libc::mq_open(path.as_ptr(), libc::O_CREAT | libc::O_RDWR, 0o600, none) };
    assert!(made >= 0, "mq_open: {}", std::io::Error::last_os_error());
}
