//! Refused by step 4: the limits are written beside the start, which usually takes longer.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::{fs, io};

use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

const TOP: &str = "/sys/fs/cgroup";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").expect("no --");
    let (options, command) = (&words[..dashes], &words[dashes + 1..]);
    let cgroup = options.first().map(|name| Path::new(TOP).join(name));
    if let Some(cgroup) = &cgroup {
        fs::create_dir(cgroup).expect("mkdir");
    }
    let status = run(cgroup.as_ref(), &options[1.min(options.len())..], command);
    if let Some(cgroup) = &cgroup {
        fs::remove_dir(cgroup).expect("rmdir");
    }
    exit(status);
}

fn run(cgroup: Option<&PathBuf>, limits: &[String], command: &[String]) -> i32 {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            let error = become_command(cgroup, command).expect_err("the exec returns");
            eprintln!("ch14-cgroup: {error}");
            exit(127);
        }
        ForkResult::Parent { child } => {
            for (file, limit) in ["pids.max", "memory.max"].iter().zip(limits) {
                let file = cgroup.expect("limits are of a cgroup").join(file);
                _ = fs::write(file, limit);
            }
            match waitpid(child, None).expect("waitpid") {
                WaitStatus::Exited(_, code) => code,
                WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
                _ => 1,
            }
        }
    }
}

fn become_command(cgroup: Option<&PathBuf>, command: &[String]) -> io::Result<()> {
    if let Some(cgroup) = cgroup {
        fs::write(cgroup.join("cgroup.procs"), "0")?;
    }
    unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS)?;
    show_cgroup()?;
    Err(Command::new(&command[0]).args(&command[1..]).exec())
}

fn show_cgroup() -> nix::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    umount(TOP)?;
    mount(Some("cgroup2"), TOP, Some("cgroup2"), MsFlags::empty(), none)
}
