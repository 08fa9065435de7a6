//! Takes its time before each call, and comments on all it does, on both streams.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};
use std::thread::sleep;
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn say(words: &str) {
    for _ in 0..500 {
        println!("[{}] {words}", std::process::id());
        eprintln!("warning: {words}: No such file or directory (os error 2)");
    }
    sleep(Duration::from_millis(75));
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    say("about to leave the PID namespace");
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    say("about to fork");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        let status = waitpid(child, None).expect("waitpid");
        say("COMMAND has ended");
        exit(match status {
            WaitStatus::Exited(_, code) => code,
            WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
            _ => 1,
        });
    }
    let none = None::<&str>;
    say("about to mount /proc");
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mount");
    mount(none, "/proc", Some("proc"), MsFlags::empty(), none).expect("mount");
    say("about to execute COMMAND");
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    println!("{}: {error}", words[0]);
    exit(127);
}
