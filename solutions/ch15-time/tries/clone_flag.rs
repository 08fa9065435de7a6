//! Named: clone(2) does not know the flag
//! Points at: clone(
//! CLONE_NEWTIME is passed to clone(2) as the flags of the other kinds are.

use std::ffi::CString;
use std::process::exit;

use nix::sched::{CloneFlags, clone};
use nix::sys::wait::{WaitStatus, waitpid};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let command: Vec<CString> =
        words[3..].iter().map(|word| CString::new(word.as_str()).unwrap()).collect();
    let offsets = format!("monotonic {} 0\nboottime {} 0\n", words[0], words[1]);
    let child = Box::new(|| {
        let _ = std::fs::write("/proc/self/timens_offsets", &offsets);
        nix::unistd::execv(&command[0], &command).map_or(127, |never| match never {})
    });
    let mut stack = vec![0; 256 * 1024];
    let flags = CloneFlags::from_bits_retain(libc::CLONE_NEWTIME);
    // SAFETY: the child has a copy of the memory.
    let pid = unsafe { clone(child, &mut stack, flags, Some(libc::SIGCHLD)) }.unwrap();
    match waitpid(pid, None).unwrap() {
        WaitStatus::Exited(_, code) => exit(code),
        _ => exit(1),
    }
}
