//! Named: one clock is forgotten
//! Copied and pasted: both lines are about the same clock.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: takes an integer.
    if unsafe { libc::unshare(libc::CLONE_NEWTIME) } != 0 {
        panic!("unshare: {}", std::io::Error::last_os_error());
    }
    let open = || OpenOptions::new().write(true).open("/proc/self/timens_offsets").unwrap();
    writeln!(open(), "monotonic {} 0", words[0]).unwrap();
    writeln!(open(), "monotonic {} 0", words[1]).unwrap();
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
