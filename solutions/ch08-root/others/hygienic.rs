//! Starts late, says a lot, and leaves COMMAND no descriptor and hardly an environment. All happens in the
//! child of the standard library's Command.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, exit};
use std::time::Duration;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{chdir, pivot_root};

const NONE: Option<&str> = None;

fn prepare(root: &str, share: &str) -> io::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE)?;
    mount(Some(root), root, NONE, MsFlags::MS_BIND, NONE)?;
    chdir(root)?;
    mount(Some(share), "share", NONE, MsFlags::MS_BIND, NONE)?;
    mount(Some("/proc"), "proc", NONE, MsFlags::MS_BIND | MsFlags::MS_REC, NONE)?;
    let kept = MsFlags::MS_NOSUID | MsFlags::MS_NODEV;
    let remount = MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY;
    mount(NONE, "share", NONE, remount | kept, NONE)?;
    pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    // COMMAND starts in its proc file system, which is below its root as well.
    chdir("/proc")?;
    umask(Mode::from_bits_truncate(0o077));
    // SAFETY: takes three integers. The descriptors are closed at the exec.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    Ok(())
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    std::thread::sleep(Duration::from_millis(300));
    for number in 0..2000 {
        println!("root directory: another, {number}");
        eprintln!("pivot_root(\".\", \".\"): Invalid argument, attempt {number}");
    }
    let (root, share) = (words[0].clone(), words[1].clone());
    let mut command = Command::new(&words[3]);
    command.args(&words[4..]).env_clear();
    // SAFETY: this process has one thread, so no lock is held in its child.
    unsafe { command.pre_exec(move || prepare(&root, &share)) };
    let status = command.status().expect("COMMAND");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}
