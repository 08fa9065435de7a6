//! Named: only the mount on / is changed
//! MS_SLAVE without MS_REC: `/` is taken for all mounts.

use std::ffi::CString;
use std::io::Error;
use std::process::{Command, exit};

fn check(what: &str, result: i32) {
    if result == -1 {
        eprintln!("{what}: {}", Error::last_os_error());
        exit(1);
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dir = CString::new(words[0].as_str()).unwrap();
    let none = std::ptr::null();
    // SAFETY: each string ends with a NUL, and lives until the call returns.
    unsafe {
        check("unshare", libc::unshare(libc::CLONE_NEWNS));
        check("slave", libc::mount(none, c"/".as_ptr(), none, libc::MS_SLAVE, none.cast()));
        let tmpfs = c"tmpfs".as_ptr();
        check("mount", libc::mount(tmpfs, dir.as_ptr(), tmpfs, 0, none.cast()));
    }
    std::fs::write(format!("{}/token", words[0]), &words[1]).unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
