//! Named: the new PID namespace is empty
//! The program leaves, as it would leave any other namespace, and becomes COMMAND.

use std::ffi::CString;

fn main() {
    let words: Vec<CString> = std::env::args().skip(2).map(|w| CString::new(w).unwrap()).collect();
    let mut argv: Vec<_> = words.iter().map(|w| w.as_ptr()).collect();
    argv.push(std::ptr::null());
    // SAFETY: the strings and the list outlive the calls.
    unsafe {
        if libc::unshare(libc::CLONE_NEWPID) != 0 {
            panic!("unshare: {}", std::io::Error::last_os_error());
        }
        libc::execvp(argv[0], argv.as_ptr());
    }
    panic!("execvp: {}", std::io::Error::last_os_error());
}
