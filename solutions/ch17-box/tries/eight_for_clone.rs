//! Named: the flag of the time namespace is passed to clone(2)
//! Points at: clone(
//! All eight flags go into one call of clone(2).

use std::ffi::CString;
use std::process::exit;

use nix::sched::{CloneFlags, clone};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{chroot, execv};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").expect("usage");
    let command: Vec<CString> =
        words[at + 1..].iter().map(|word| CString::new(word.as_str()).unwrap()).collect();
    let all = libc::CLONE_NEWUSER
        | libc::CLONE_NEWNS
        | libc::CLONE_NEWPID
        | libc::CLONE_NEWNET
        | libc::CLONE_NEWUTS
        | libc::CLONE_NEWIPC
        | libc::CLONE_NEWCGROUP
        | libc::CLONE_NEWTIME;
    let mut stack = vec![0u8; 1 << 20];
    let child = Box::new(|| {
        let done = chroot(words[at - 1].as_str()).and_then(|()| execv(&command[0], &command));
        eprintln!("{done:?}");
        127
    });
    let flags = CloneFlags::from_bits_retain(all);
    // SAFETY: the child has a copy of the memory.
    let pid = unsafe { clone(child, &mut stack, flags, Some(libc::SIGCHLD)) };
    match pid.and_then(|pid| waitpid(pid, None)) {
        Ok(WaitStatus::Exited(_, code)) => exit(code),
        other => {
            eprintln!("{other:?}");
            exit(1);
        }
    }
}
