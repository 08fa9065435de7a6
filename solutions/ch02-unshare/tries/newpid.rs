//! Named: more than the UTS namespace is new
//! A new PID namespace is asked for, too, because containers have one.

use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // SAFETY: the pointer and the length are the name's.
    unsafe {
        if libc::unshare(libc::CLONE_NEWUTS | libc::CLONE_NEWPID) == -1 {
            exit(1);
        }
        if libc::sethostname(args[1].as_ptr().cast(), args[1].len()) == -1 {
            exit(1);
        }
    }
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
