//! Refused by step 2: `/proc` shows another PID namespace than COMMAND's, whose PID 1 has its command
//! line.

use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};

/// Starts a process in a PID namespace of its own, which mounts `/proc` and calls itself `name`. Returns its
/// parent.
fn start_neighbor(name: &str) -> Pid {
    let none = None::<&str>;
    let (mut is_mounted, mounted) = std::io::pipe().expect("pipe");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        drop(mounted);
        _ = is_mounted.read(&mut [0]);
        return child;
    }
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        drop(mounted);
        _ = waitpid(child, None);
        exit(0);
    }
    set_pdeathsig(Signal::SIGKILL).expect("prctl");
    mount(none, "/proc", Some("proc"), MsFlags::empty(), none).expect("mount");
    let error = Command::new("sleep").arg0(name).arg("60").exec();
    eprintln!("execve: {error}");
    exit(1);
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mount");
    let parent = start_neighbor(&words[0]);
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        let status = waitpid(child, None).expect("waitpid");
        kill(parent, Signal::SIGKILL).expect("kill");
        waitpid(parent, None).expect("waitpid");
        exit(match status {
            WaitStatus::Exited(_, code) => code,
            WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
            _ => 1,
        });
    }
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("execve: {error}");
    exit(127);
}
