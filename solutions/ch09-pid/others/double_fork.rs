//! A process between the program and PID 1 leaves both namespaces, and passes the status on by a pipe.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    let (mut receiver, mut sender) = std::io::pipe().expect("pipe");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        drop(sender);
        // It stays 1 if the process between has failed, which then writes nothing.
        let mut code = [1];
        _ = receiver.read(&mut code).expect("read");
        waitpid(child, None).expect("waitpid");
        exit(code[0].into());
    }
    drop(receiver);
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS).expect("unshare");
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none).expect("mount");
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }.expect("fork") {
        let code = match waitpid(child, None).expect("waitpid") {
            WaitStatus::Exited(_, code) => code as u8,
            WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
            _ => 1,
        };
        sender.write_all(&[code]).expect("write");
        exit(0);
    }
    mount(none, "/proc", Some("proc"), MsFlags::empty(), none).expect("mount");
    let error = Command::new(&words[0]).args(&words[1..]).exec();
    eprintln!("execve: {error}");
    exit(127);
}
