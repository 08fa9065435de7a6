//! Uses only libc, and no child: the program executes COMMAND in its own place, and keeps the segment
//! attached until then. It makes the queue first.

use std::ffi::CString;
use std::ptr;

fn main() {
    let words: Vec<CString> =
        std::env::args().skip(1).map(|word| CString::new(word).unwrap()).collect();
    let queue = CString::new(format!("/{}", words[1].to_str().unwrap())).unwrap();
    // SAFETY: this process has one thread. Every pointer is null or a C string that outlives its call,
    // and the text fits into the segment.
    unsafe {
        if libc::unshare(libc::CLONE_NEWIPC) != 0 {
            libc::perror(c"unshare".as_ptr());
            libc::_exit(1);
        }
        let none = ptr::null::<libc::mq_attr>();
        assert!(
            libc::mq_open(queue.as_ptr(), libc::O_CREAT | libc::O_RDONLY, 0o644, none) >= 0,
            "mq_open: {}",
            std::io::Error::last_os_error()
        );
        let id = libc::shmget(libc::atoi(words[0].as_ptr()), 65536, libc::IPC_CREAT | 0o666);
        let start = libc::shmat(id, ptr::null(), 0);
        assert!(start as isize != -1, "shmat");
        libc::strcpy(start.cast(), words[1].as_ptr());
        let mut argv: Vec<_> = words[3..].iter().map(|word| word.as_ptr()).collect();
        argv.push(ptr::null());
        libc::execvp(argv[0], argv.as_ptr());
        libc::_exit(127);
    }
}
