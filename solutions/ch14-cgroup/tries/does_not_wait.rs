//! Named: a process is still running
//! The cgroup cannot be removed, because COMMAND is still in it.

use std::ffi::{OsStr, OsString};
use std::fs::{self};
use std::io::{self};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result, anyhow};
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::WaitStatus;

const CGROUPS: &str = "/sys/fs/cgroup";

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let (options, rest) = words.split_at(dashes);
    let outcome = match (options, rest) {
        ([], [_, command, args @ ..]) => run(None, command, args),
        ([name], [_, command, args @ ..]) => in_cgroup(name, &[], command, args),
        ([name, pids, memory], [_, command, args @ ..]) => {
            let limits = [("pids.max", pids.as_os_str()), ("memory.max", memory.as_os_str())];
            in_cgroup(name, &limits, command, args)
        }
        _ => Err(anyhow!("usage: ch14-cgroup [CGROUP [PIDS MEMORY]] -- COMMAND [ARGS…]")),
    };
    match outcome {
        Ok(status) => ExitCode::from(exit_code(status)),
        Err(error) => {
            eprintln!("ch14-cgroup: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn exit_code(status: WaitStatus) -> u8 {
    match status {
        WaitStatus::Exited(_, code) => code as u8,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as u8,
        _ => 1,
    }
}
fn run(cgroup: Option<&Path>, command: &OsStr, args: &[OsString]) -> Result<WaitStatus> {
    let cgroup = cgroup.map(Path::to_owned);
    let mut cmd = Command::new(command);
    unsafe {
        cmd.args(args).pre_exec(move || {
            enter(&cgroup)?;
            unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS)?;
            private()?;
            umount2("/sys/fs/cgroup", MntFlags::MNT_DETACH)?;
            mount(
                Some("cgroup2"),
                "/sys/fs/cgroup",
                Some("cgroup2"),
                MsFlags::empty(),
                None::<&str>,
            )?;
            Ok(())
        })
    };
    cmd.spawn()?;
    Ok(WaitStatus::StillAlive)
}

fn in_cgroup(
    name: &OsStr,
    limits: &[(&str, &OsStr)],
    command: &OsStr,
    args: &[OsString],
) -> Result<WaitStatus> {
    let path = Path::new(CGROUPS).join(name);
    fs::create_dir(&path).context("mkdir")?;
    let limited =
        limits.iter().try_for_each(|(file, value)| fs::write(path.join(file), value.as_bytes()));
    let ran = match limited {
        Ok(()) => run(Some(&path), command, args),
        Err(e) => Err(e.into()),
    };
    fs::remove_dir(&path).context("rmdir")?;
    ran
}

fn enter(cgroup: &Option<PathBuf>) -> io::Result<()> {
    if let Some(path) = cgroup {
        fs::write(path.join("cgroup.procs"), "0")?;
    }
    Ok(())
}

fn private() -> nix::Result<()> {
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_PRIVATE | MsFlags::MS_REC, None::<&str>)
}
