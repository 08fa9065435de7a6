//! Joins its own new namespace with setns(2) and becomes COMMAND, so that there is no child at all.

use std::fs;
use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (monotonic, boottime, command) = (&words[0], &words[1], &words[3..]);
    // SAFETY: unshare takes only an integer.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWTIME) }, 0, "unshare");
    let offsets = format!("monotonic {monotonic} 0\nboottime {boottime} 0\n");
    fs::write("/proc/self/timens_offsets", offsets).expect("timens_offsets");
    let made = fs::File::open("/proc/self/ns/time_for_children").expect("time_for_children");
    nix::sched::setns(made, nix::sched::CloneFlags::empty()).expect("setns");
    become_command(command)
}

fn become_command(command: &[String]) -> ! {
    use std::os::unix::process::CommandExt as _;
    let error = Command::new(&command[0]).args(&command[1..]).exec();
    eprintln!("ch15-time: execve({:?}): {error}", command[0]);
    exit(127)
}
