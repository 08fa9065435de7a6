//! A thread makes the namespace, in which only its own children are born. Each clock is written by itself.

use std::fs;
use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (monotonic, boottime, command) = (&words[0], &words[1], &words[3..]);
    let in_thread = || {
        // SAFETY: unshare takes only an integer.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWTIME) }, 0, "unshare");
        for (clock, seconds) in [("boottime", boottime), ("monotonic", monotonic)] {
            // The file of the process is the first thread's.
            let file = format!("/proc/{}/timens_offsets", nix::unistd::gettid());
            fs::write(file, format!("{clock} {seconds} 0\n")).expect("timens_offsets");
        }
        run(command)
    };
    exit(std::thread::scope(|scope| scope.spawn(in_thread).join().expect("the thread")));
}

fn run(command: &[String]) -> i32 {
    // SAFETY: the other thread only waits for this one, and holds no lock.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => become_command(command),
        ForkResult::Parent { child } => match waitpid(child, None).expect("waitpid") {
            WaitStatus::Exited(_, code) => code,
            WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
            _ => 1,
        },
    }
}

fn become_command(command: &[String]) -> ! {
    use std::os::unix::process::CommandExt as _;
    let error = Command::new(&command[0]).args(&command[1..]).exec();
    eprintln!("ch15-time: execve({:?}): {error}", command[0]);
    exit(127)
}
