//! Calls clone3(2) with CLONE_INTO_CGROUP and CLONE_NEWCGROUP: the child is born in the cgroup, which is
//! also the root of its namespace.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, exit};

use anyhow::Result;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount, umount};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

/// libc's constant is a C int, which is too small for this flag, so there it is 0.
const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;

fn main() -> Result<()> {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").unwrap();
    let name = words[..dashes].first();
    let cgroup = name.map(|name| Path::new("/sys/fs/cgroup").join(name));
    if let Some(cgroup) = &cgroup {
        fs::create_dir(cgroup)?;
        for (file, limit) in ["pids.max", "memory.max"].iter().zip(&words[1..dashes.max(1)]) {
            let written = fs::write(cgroup.join(file), limit.as_encoded_bytes());
            written.or_else(|error| fs::remove_dir(cgroup).and(Err(error)))?;
        }
    }
    // ANCHOR: born
    let directory = cgroup.as_ref().map(File::open).transpose()?;
    // SAFETY: all zeroes are a valid clone_args.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = (libc::CLONE_NEWCGROUP | libc::CLONE_NEWNS) as u64;
    args.exit_signal = libc::SIGCHLD as u64;
    if let Some(directory) = &directory {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = directory.as_raw_fd() as u64;
    }
    // SAFETY: `args` has the given size. Without a stack of its own the child runs on a copy of its
    // parent's, and this process has one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of_val(&args)) };
    // ANCHOR_END: born
    let pid = Errno::result(pid)? as i32;
    if pid == 0 {
        let none = None::<&str>;
        let run = || -> Result<()> {
            mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
            umount("/sys/fs/cgroup")?;
            let kind = Some("cgroup2");
            mount(kind, "/sys/fs/cgroup", kind, MsFlags::empty(), none)?;
            Err(Command::new(&words[dashes + 1]).args(&words[dashes + 2..]).exec().into())
        };
        eprintln!("{:#}", run().unwrap_err());
        exit(127);
    }
    let status = waitpid(Pid::from_raw(pid), None)?;
    if let Some(cgroup) = &cgroup {
        fs::remove_dir(cgroup)?;
    }
    match status {
        WaitStatus::Exited(_, code) => exit(code),
        _ => exit(1),
    }
}
