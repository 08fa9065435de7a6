//! Refused by step 1: COMMAND runs a second time, with the clocks of the lab.

use std::fs;
use std::process::{Command, exit};

use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (monotonic, boottime, command) = (&words[0], &words[1], &words[3..]);
    _ = Command::new(&command[0]).args(&command[1..]).spawn();
    // SAFETY: unshare takes only an integer.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWTIME) }, 0, "unshare");
    let offsets = format!("monotonic {monotonic} 0\nboottime {boottime} 0\n");
    fs::write("/proc/self/timens_offsets", offsets).expect("timens_offsets");
    exit(run(command));
}

fn run(command: &[String]) -> i32 {
    // SAFETY: this process has one thread.
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
