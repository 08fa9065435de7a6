//! Named: the tmpfs has no type
//! Points at: mount(*
//! "tmpfs" is passed as the source, and the type is left out.

use std::ffi::CString;
use std::process::{Command, exit};
use std::ptr::null;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dir = CString::new(words[0].clone()).expect("no NUL");
    let slave = libc::MS_REC | libc::MS_SLAVE;
    // SAFETY: each string ends with a NUL, and lives until the call returns.
    let done = unsafe {
        libc::unshare(libc::CLONE_NEWNS) == 0
            && libc::mount(null(), c"/".as_ptr(), null(), slave, null()) == 0
            && libc::mount(c"tmpfs".as_ptr(), dir.as_ptr(), null(), 0, null()) == 0
    };
    if !done {
        eprintln!("{}", std::io::Error::last_os_error());
        exit(1);
    }
    std::fs::write(format!("{}/token", words[0]), &words[1]).expect("token");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
