//! Named: COMMAND's exit status is lost
//! What waitpid(2) stores is handed to exit(3) as it is; its lowest eight bits are the signal.

use std::ffi::CString;
use std::ptr;

fn main() {
    let words: Vec<CString> = std::env::args().skip(2).map(|w| CString::new(w).unwrap()).collect();
    let mut argv: Vec<_> = words.iter().map(|w| w.as_ptr()).collect();
    argv.push(ptr::null());
    // SAFETY: there is one thread in each process, and all pointers outlive the calls.
    unsafe {
        if libc::unshare(libc::CLONE_NEWPID) == -1 {
            eprintln!("unshare: {}", std::io::Error::last_os_error());
            libc::exit(1);
        }
        let mut status = 0;
        let init = libc::fork();
        if init != 0 {
            libc::waitpid(init, &mut status, 0);
            libc::exit(status);
        }
        let command = libc::fork();
        if command == 0 {
            libc::execvp(argv[0], argv.as_ptr());
            libc::_exit(127);
        }
        while libc::wait(&mut status) != command {}
        libc::exit(status);
    }
}
