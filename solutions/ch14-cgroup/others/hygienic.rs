//! Closes all descriptors above 2, and gives COMMAND an environment, a umask, a session and limits of its own.
//! The working directory is the root directory.

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
    // SAFETY: this process has one thread.
    match unsafe { fork() }.expect("fork") {
        ForkResult::Child => {
            let error = become_command(cgroup, command).expect_err("the exec returns");
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

fn become_command(cgroup: Option<&PathBuf>, command: &[String]) -> io::Result<()> {
    if let Some(cgroup) = cgroup {
        fs::write(cgroup.join("cgroup.procs"), "0")?;
    }
    unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS)?;
    show_cgroup()?;
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    nix::unistd::chdir("/")?;
    _ = nix::unistd::setsid();
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_CORE, 0, 0)?;
    // SAFETY: no owner uses these descriptors any more, because the exec replaces the program.
    unsafe { libc::close_range(3, u32::MAX, 0) };
    let mut program = Command::new(&command[0]);
    program.args(&command[1..]).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/");
    Err(program.exec())
}

fn show_cgroup() -> nix::Result<()> {
    let none = None::<&str>;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
    umount(TOP)?;
    mount(Some("cgroup2"), TOP, Some("cgroup2"), MsFlags::empty(), none)
}
