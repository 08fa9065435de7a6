//! Starts slowly, prints a lot on both streams, and tries objects of other kinds inside, too.

use std::ffi::CString;
use std::process::{Command, exit};
use std::ptr;

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    std::thread::sleep(std::time::Duration::from_millis(300));
    for line in 0..2000 {
        println!("{line}: a key is a number");
        eprintln!("{line}: a name begins with a slash");
    }
    unshare(CloneFlags::CLONE_NEWIPC).expect("unshare");
    // SAFETY: both take only integers.
    let ids = unsafe {
        let semaphores = libc::semget(libc::IPC_PRIVATE, 1, libc::IPC_CREAT | 0o600);
        (semaphores, libc::msgget(libc::IPC_PRIVATE, libc::IPC_CREAT | 0o600))
    };
    println!("a semaphore set and a queue, for no reason: {ids:?}");
    segment(words[0].parse().expect("a key"), &words[1]);
    queue(&words[1]);
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
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
