//! Two children: the first moves and makes the namespaces, and the second is born in them. A pipe keeps
//! COMMAND back until the first has been moved from outside.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{fs, io};

use nix::fcntl::OFlag;
use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, pipe2, read, write};

const TOP: &str = "/sys/fs/cgroup";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").expect("no --");
    let (options, command) = (&words[..dashes], &words[dashes + 1..]);
    let cgroup = options.first().map(|name| Path::new(TOP).join(name));
    if let Some(cgroup) = &cgroup {
        fs::create_dir(cgroup).expect("mkdir");
        for (file, limit) in ["pids.max", "memory.max"].iter().zip(&options[1..]) {
            if let Err(error) = fs::write(cgroup.join(file), limit) {
                eprintln!("ch14-cgroup: {file}: {error}");
                fs::remove_dir(cgroup).expect("rmdir");
                exit(1);
            }
        }
    }
    let status = run(cgroup.as_ref(), command);
    if let Some(cgroup) = &cgroup {
        fs::remove_dir(cgroup).expect("rmdir");
    }
    exit(status);
}

fn run(cgroup: Option<&PathBuf>, command: &[String]) -> i32 {
    let (moved, tell) = pipe2(OFlag::O_CLOEXEC).expect("pipe");
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            read(&moved, &mut [0]).expect("read");
            let error = become_command(cgroup, command).expect_err("the exec returns");
            eprintln!("ch14-cgroup: {error}");
            exit(127);
        }
        ForkResult::Parent { child } => {
            if let Some(cgroup) = cgroup {
                fs::write(cgroup.join("cgroup.procs"), child.to_string()).expect("cgroup.procs");
            }
            write(&tell, b"!").expect("write");
            wait_for(child)
        }
    }
}

fn wait_for(child: Pid) -> i32 {
    match waitpid(child, None).expect("waitpid") {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    }
}

fn become_command(cgroup: Option<&PathBuf>, command: &[String]) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS)?;
    show_cgroup()?;
    // SAFETY: this process has one thread.
    if let ForkResult::Parent { child } = unsafe { fork() }? {
        exit(wait_for(child));
    }
    Err(Command::new(&command[0]).args(&command[1..]).exec())
}

fn show_cgroup() -> nix::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    umount(TOP)?;
    mount(Some("cgroup2"), TOP, Some("cgroup2"), MsFlags::empty(), none)
}
