//! clone3(2) gives birth in the cgroup (CLONE_INTO_CGROUP); no swap; the mount is detached, not unmounted.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, exit};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use nix::errno::Errno;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;

const PLACE: &str = "/sys/fs/cgroup";
const USAGE: &str = "usage: ch14-cgroup [CGROUP [PIDS MEMORY]] -- COMMAND [ARGS…]";

/// Removes the cgroup when it goes out of scope.
struct Cgroup(PathBuf);

impl Drop for Cgroup {
    fn drop(&mut self) {
        for _ in 0..100 {
            match fs::remove_dir(&self.0) {
                Ok(()) => return,
                // Somebody has not quite left.
                Err(error) if error.raw_os_error() == Some(libc::EBUSY) => {
                    sleep(Duration::from_millis(20));
                }
                Err(error) => {
                    eprintln!("{:?} stays: {error}", self.0);
                    return;
                }
            }
        }
        eprintln!("{:?} stays: it is in use", self.0);
    }
}

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    ExitCode::from(run(&words).unwrap_or_else(|error| {
        eprintln!("{error:#}");
        1
    }))
}

fn run(words: &[OsString]) -> Result<u8> {
    let dashes = words.iter().position(|word| word == "--").context(USAGE)?;
    let (options, command) = (&words[..dashes], &words[dashes + 1..]);
    if command.is_empty() {
        bail!(USAGE);
    }
    let cgroup = match options {
        [] => None,
        [name] | [name, _, _] => {
            let path = Path::new(PLACE).join(name);
            fs::create_dir(&path).with_context(|| format!("no new cgroup {path:?}"))?;
            Some(Cgroup(path))
        }
        _ => bail!(USAGE),
    };
    if let (Some(Cgroup(path)), [_, pids, memory]) = (&cgroup, options) {
        for (file, limit) in [("memory.max", memory), ("pids.max", pids)] {
            fs::write(path.join(file), limit.as_encoded_bytes())
                .with_context(|| format!("{file} does not become {limit:?}"))?;
        }
        // What is swapped out does not count as memory. Without swap there is no such file.
        _ = fs::write(path.join("memory.swap.max"), "0");
    }
    let child = match born(cgroup.as_ref().map(|cgroup| cgroup.0.as_path()))? {
        Some(child) => child,
        None => {
            let error = match look_around() {
                Ok(()) => anyhow!("{}", Command::new(&command[0]).args(&command[1..]).exec()),
                Err(error) => error,
            };
            eprintln!("{:?} does not start: {error:#}", command[0]);
            // Not through the Drop above: the cgroup is the parent's.
            exit(127)
        }
    };
    loop {
        match waitpid(child, None) {
            Ok(WaitStatus::Exited(_, code)) => return Ok(code as u8),
            Ok(WaitStatus::Signaled(_, signal, _)) => return Ok(128 + signal as u8),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(errno) => bail!("waiting: {errno}"),
        }
    }
}

/// A child in this cgroup, or in the current one. `None` in the child.
fn born(cgroup: Option<&Path>) -> Result<Option<Pid>> {
    const CLONE_INTO_CGROUP: u64 = 0x2_0000_0000;
    // SAFETY: zero means "not requested" in every field.
    let mut request: libc::clone_args = unsafe { std::mem::zeroed() };
    request.exit_signal = libc::SIGCHLD as u64;
    let directory = match cgroup {
        Some(path) => Some(File::open(path).with_context(|| format!("opening {path:?}"))?),
        None => None,
    };
    if let Some(directory) = &directory {
        request.flags = CLONE_INTO_CGROUP;
        request.cgroup = directory.as_raw_fd() as u64;
    }
    // SAFETY: no stack of its own, and one thread.
    let pid = unsafe { libc::syscall(libc::SYS_clone3, &raw const request, size_of_val(&request)) };
    match Errno::result(pid).context("clone3")? {
        0 => Ok(None),
        pid => Ok(Some(Pid::from_raw(pid as i32))),
    }
}

fn look_around() -> Result<()> {
    let none = None::<&str>;
    // The namespace of cgroups has its root where this process is, and it is there from birth.
    unshare(CloneFlags::CLONE_NEWNS).context("own mounts")?;
    unshare(CloneFlags::CLONE_NEWCGROUP).context("own cgroups")?;
    mount(none, "/", none, MsFlags::MS_SLAVE | MsFlags::MS_REC, none).context("slaves")?;
    umount2(PLACE, MntFlags::MNT_DETACH).context("detaching the old view")?;
    let flags = MsFlags::MS_NOEXEC | MsFlags::MS_NODEV | MsFlags::MS_NOSUID;
    mount(Some("none"), PLACE, Some("cgroup2"), flags, none).context("mounting the new view")
}
