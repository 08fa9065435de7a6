//! Named: a pidfd needs flags
//! 0 means "whatever it is", as with a file.

use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    // SAFETY: both calls take integers.
    unsafe {
        let pidfd = libc::syscall(libc::SYS_pidfd_open, args[1].parse::<libc::pid_t>().unwrap(), 0);
        if libc::setns(pidfd as i32, 0) < 0 {
            panic!("setns: {}", std::io::Error::last_os_error());
        }
    }
    let status = Command::new(&args[3]).args(&args[4..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
