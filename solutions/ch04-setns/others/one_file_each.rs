//! Opens one file and makes one call for each namespace, in another order, in a child.

use std::fs::File;
use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == "pin" {
        File::create(&words[2]).expect("creat");
        let source = format!("/proc/{}/ns/uts", words[1]);
        let none = None::<&str>;
        mount(Some(source.as_str()), words[2].as_str(), none, MsFlags::MS_BIND, none)
            .expect("mount");
        return;
    }
    let files: Vec<File> = ["net", "uts", "ipc"]
        .iter()
        .map(|kind| File::open(format!("/proc/{}/ns/{kind}", words[0])).expect("open"))
        .collect();
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            for file in files {
                setns(file, CloneFlags::empty()).expect("setns");
            }
            let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
            exit(status.code().unwrap_or(1));
        }
        ForkResult::Parent { child } => match waitpid(child, None).expect("waitpid") {
            WaitStatus::Exited(_, code) => exit(code),
            _ => exit(1),
        },
    }
}
