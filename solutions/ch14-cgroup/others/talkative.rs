//! Takes its time, says what it does, sets the limits when COMMAND's process is already in the cgroup, and
//! tries to remove the cgroup until that succeeds.

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
    std::thread::sleep(std::time::Duration::from_millis(300));
    for line in 0..300 {
        println!("ch14-cgroup: line {line}");
        eprintln!("warning {line}: a cgroup is about to be made");
    }
    let dashes = words.iter().position(|word| word == "--").expect("no --");
    let (options, command) = (&words[..dashes], &words[dashes + 1..]);
    let cgroup = options.first().map(|name| Path::new(TOP).join(name));
    if let Some(cgroup) = &cgroup {
        fs::create_dir(cgroup).expect("mkdir");
    }
    let status = run(cgroup.as_ref(), command, options.get(1..).unwrap_or_default());
    if let Some(cgroup) = &cgroup {
        while let Err(error) = fs::remove_dir(cgroup) {
            eprintln!("not yet: {error}");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
    exit(status);
}

fn run(cgroup: Option<&PathBuf>, command: &[String], limits: &[String]) -> i32 {
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            let error = become_command(cgroup, command, limits).expect_err("the exec returns");
            eprintln!("ch14-cgroup: {error}");
            exit(127);
        }
        ForkResult::Parent { child } => match waitpid(child, None).expect("waitpid") {
            WaitStatus::Exited(_, code) => code,
            WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
            _ => 1,
        },
    }
}

fn become_command(
    cgroup: Option<&PathBuf>,
    command: &[String],
    limits: &[String],
) -> io::Result<()> {
    if let Some(cgroup) = cgroup {
        fs::write(cgroup.join("cgroup.procs"), "0")?;
        for (file, limit) in ["pids.max", "memory.max"].iter().zip(limits) {
            fs::write(cgroup.join(file), limit)?;
        }
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
