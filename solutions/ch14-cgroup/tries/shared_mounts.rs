//! Named: the mount propagates to the lab
//! A mount namespace of its own, but nothing makes the mounts private.

use std::ffi::CString;
use std::ptr::null;

fn main() {
    let words: Vec<String> = std::env::args().collect();
    let at = words.iter().position(|word| word == "--").expect("no --");
    // SAFETY: every pointer is valid for its call, and there is one thread.
    unsafe {
        let pid = libc::fork();
        if pid == 0 {
            if libc::unshare(libc::CLONE_NEWNS | libc::CLONE_NEWCGROUP) == -1 {
                libc::_exit(1);
            }
            let target = c"/sys/fs/cgroup".as_ptr();
            libc::umount2(target, libc::MNT_DETACH);
            if libc::mount(c"none".as_ptr(), target, c"cgroup2".as_ptr(), 0, null()) == -1 {
                libc::perror(c"mount".as_ptr());
                libc::_exit(1);
            }
            let words: Vec<CString> =
                words[at + 1..].iter().map(|word| CString::new(word.as_str()).unwrap()).collect();
            let mut argv: Vec<_> = words.iter().map(|word| word.as_ptr()).collect();
            argv.push(null());
            libc::execvp(argv[0], argv.as_ptr());
            libc::_exit(127);
        }
        let mut status = 0;
        libc::waitpid(pid, &mut status, 0);
        libc::exit(libc::WEXITSTATUS(status));
    }
}
