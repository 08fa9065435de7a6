//! Named: CLONE_NEWNS is not "a new namespace"
//! The flag looks as if it meant any namespace.

use std::process::{Command, exit};

fn check(result: i32, what: &str) {
    if result == -1 {
        eprintln!("{what}: {}", std::io::Error::last_os_error());
        exit(1);
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // SAFETY: the pointer and the length are the name's.
    unsafe {
        check(libc::unshare(libc::CLONE_NEWNS), "unshare");
        check(libc::sethostname(args[1].as_ptr().cast(), args[1].len()), "sethostname");
    }
    let status = Command::new(&args[3]).args(&args[4..]).status().expect("exec");
    exit(status.code().unwrap_or(1));
}
