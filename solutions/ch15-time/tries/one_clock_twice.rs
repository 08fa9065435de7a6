//! Named: one clock is forgotten
//! Copied and pasted: both lines are about the same clock.

use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: takes an integer.
    if unsafe { libc::unshare(libc::CLONE_NEWTIME) } != 0 {
        panic!("unshare: {}", std::io::Error::last_os_error());
    }
    let offset = |line: String| std::fs::write("/proc/self/timens_offsets", line).unwrap();
    offset(format!("boottime {} 0", words[0]));
    offset(format!("boottime {} 0", words[1]));
    // SAFETY: there is one thread.
    match unsafe { libc::fork() } {
        0 => exit(Command::new(&words[3]).args(&words[4..]).status().unwrap().code().unwrap()),
        child => {
            let mut status = 0;
            // SAFETY: the pointer is valid.
            unsafe { libc::waitpid(child, &mut status, 0) };
            exit(libc::WEXITSTATUS(status));
        }
    }
}
