//! Refused by step 2: `/proc` shows another PID namespace than COMMAND's, whose PID 1 has its command
//! line.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mount");
    let in_the_lab = std::fs::File::open("/proc/self/ns/pid").expect("open");
    let (mut proc_is_there, mounted) = std::io::pipe().expect("pipe");
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: this process has one thread.
    let neighbor = match unsafe { fork() }.expect("fork") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            mount(none, "/proc", Some("proc"), MsFlags::empty(), none).expect("mount");
            drop((proc_is_there, mounted));
            let error = Command::new("sleep").arg0(&words[0]).arg("60").exec();
            eprintln!("execve: {error}");
            exit(1);
        }
    };
    drop(mounted);
    _ = std::io::Read::read(&mut proc_is_there, &mut [0]);
    nix::sched::setns(in_the_lab, CloneFlags::CLONE_NEWPID).expect("setns");
    unshare(CloneFlags::CLONE_NEWPID).expect("unshare");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        let status = exit_code(waitpid(child, None).expect("waitpid"));
        _ = nix::sys::signal::kill(neighbor, nix::sys::signal::Signal::SIGKILL);
        _ = waitpid(neighbor, None);
        exit(status);
    }
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("execve: {error}");
    exit(127);
}

fn exit_code(status: WaitStatus) -> i32 {
    match status {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    }
}
