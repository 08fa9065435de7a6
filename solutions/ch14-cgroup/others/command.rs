//! Uses `Command` with `pre_exec`: everything happens in the child that std makes, but the file is opened
//! in the parent.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use anyhow::Result;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};

fn main() -> Result<()> {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").unwrap();
    let cgroup = words[..dashes].first().map(|name| {
        let mut path = OsString::from("/sys/fs/cgroup/");
        path.push(name);
        std::path::PathBuf::from(path)
    });
    let mut procs = None;
    if let Some(cgroup) = &cgroup {
        fs::create_dir(cgroup)?;
        procs = Some(fs::File::options().write(true).open(cgroup.join("cgroup.procs"))?);
        if let [pids, memory] = &words[1..dashes] {
            let written = fs::write(cgroup.join("memory.max"), memory.as_encoded_bytes())
                .and_then(|()| fs::write(cgroup.join("pids.max"), pids.as_encoded_bytes()));
            written.or_else(|error| fs::remove_dir(cgroup).and(Err(error)))?;
        }
    }
    let mut command = Command::new(&words[dashes + 1]);
    command.args(&words[dashes + 2..]);
    let enter = move || {
        if let Some(mut procs) = procs.as_ref() {
            procs.write_all(b"0\n")?;
        }
        let none = None::<&str>;
        unshare(CloneFlags::CLONE_NEWCGROUP)?;
        unshare(CloneFlags::CLONE_NEWNS)?;
        mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_PRIVATE, none)?;
        umount2("/sys/fs/cgroup", MntFlags::MNT_DETACH)?;
        Ok(mount(Some("none"), "/sys/fs/cgroup", Some("cgroup2"), MsFlags::MS_RDONLY, none)?)
    };
    // SAFETY: the closure only makes system calls, and this process has one thread.
    let status = unsafe { command.pre_exec(enter) }.status();
    if let Some(cgroup) = &cgroup {
        fs::remove_dir(cgroup)?;
    }
    exit(status?.code().unwrap_or(1));
}
