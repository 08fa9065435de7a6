//! A child makes the namespace, and the parent writes the offsets for it. Pipes keep both in step. COMMAND
//! is a grandchild.

use std::fs;
use std::process::{Command, exit};

use nix::fcntl::OFlag;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pipe2, read, write};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (monotonic, boottime, command) = (&words[0], &words[1], &words[3..]);
    let (made, tell_made) = pipe2(OFlag::O_CLOEXEC).expect("pipe");
    let (shifted, tell_shifted) = pipe2(OFlag::O_CLOEXEC).expect("pipe");
    // SAFETY: this process has one thread.
    let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") else {
        drop((made, tell_shifted));
        // SAFETY: unshare takes only an integer.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWTIME) }, 0, "unshare");
        write(&tell_made, b"!").expect("write");
        // An end without a byte means that the parent could not write the offsets.
        exit(if read(&shifted, &mut [0]).expect("read") == 1 { run(command) } else { 1 });
    };
    drop((tell_made, shifted));
    if read(&made, &mut [0]).expect("read") == 1 {
        let offsets = format!("monotonic {monotonic} 0\nboottime {boottime} 0\n");
        match fs::write(format!("/proc/{child}/timens_offsets"), offsets) {
            Ok(()) => _ = write(&tell_shifted, b"!").expect("write"),
            Err(error) => eprintln!("timens_offsets: {error}"),
        }
    }
    drop(tell_shifted);
    exit(wait_for(child));
}

fn run(command: &[String]) -> i32 {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => become_command(command),
        ForkResult::Parent { child } => wait_for(child),
    }
}

fn wait_for(child: Pid) -> i32 {
    match waitpid(child, None).expect("waitpid") {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    }
}

fn become_command(command: &[String]) -> ! {
    use std::os::unix::process::CommandExt as _;
    let error = Command::new(&command[0]).args(&command[1..]).exec();
    eprintln!("ch15-time: execve({:?}): {error}", command[0]);
    exit(127)
}
