//! clone(2) with a function and a stack for the child, and raw execve(2).

use std::ffi::CString;
use std::process::exit;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, clone};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::execvp;

fn main() {
    let words = std::env::args().skip(2).map(|word| CString::new(word).expect("no zero byte"));
    let words: Vec<CString> = words.collect();
    let mut stack = vec![0; 256 * 1024];
    let become_command = || -> isize {
        let none = None::<&str>;
        let slave = MsFlags::MS_REC | MsFlags::MS_SLAVE;
        if let Err(errno) = mount(none, "/", none, slave, none)
            .and_then(|()| mount(Some("proc"), "/proc", Some("proc"), MsFlags::empty(), none))
        {
            eprintln!("mount: {errno}");
            return 1;
        }
        let Err(errno) = execvp(&words[0], &words);
        eprintln!("execve: {errno}");
        127
    };
    let flags = CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS;
    // SAFETY: the child has a copy of all memory, and does not unwind out of the function.
    let child =
        unsafe { clone(Box::new(become_command), &mut stack, flags, Some(nix::libc::SIGCHLD)) };
    exit(match waitpid(child.expect("clone"), None) {
        Ok(WaitStatus::Exited(_, code)) => code,
        Ok(WaitStatus::Signaled(_, signal, _)) => 128 + signal as i32,
        other => panic!("waitpid: {other:?}"),
    });
}
