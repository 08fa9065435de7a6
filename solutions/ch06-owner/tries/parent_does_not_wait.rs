//! Named: the maps are written before the child has moved
//! Points at: setgroups
//! The parent writes the maps, as in chapter 5, but the child moves by itself, and neither waits.

use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, getgid, getuid, sethostname};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: there is one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            println!("the child is {}", std::process::id());
            std::thread::sleep(std::time::Duration::from_millis(100));
            unshare(
                CloneFlags::CLONE_NEWUSER
                    | CloneFlags::CLONE_NEWNET
                    | CloneFlags::CLONE_NEWUTS
                    | CloneFlags::CLONE_NEWIPC,
            )
            .unwrap();
            sethostname(&words[0]).unwrap();
            let error = Command::new(&words[2]).args(&words[3..]).exec();
            eprintln!("{error}");
            exit(127)
        }
        ForkResult::Parent { child } => {
            std::fs::write(format!("/proc/{child}/setgroups"), "deny").unwrap();
            std::fs::write(format!("/proc/{child}/uid_map"), format!("0 {} 1", getuid())).unwrap();
            std::fs::write(format!("/proc/{child}/gid_map"), format!("0 {} 1", getgid())).unwrap();
            match waitpid(child, None).unwrap() {
                WaitStatus::Exited(_, code) => exit(code),
                other => panic!("{other:?}"),
            }
        }
    }
}
