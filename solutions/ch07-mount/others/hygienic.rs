//! Starts late, says a lot, and leaves COMMAND no descriptor, hardly an environment and another directory.
//! All happens in the child of the standard library's Command.

use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, exit};
use std::time::Duration;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::{Mode, umask};

fn prepare(dir: &str, text: &str) -> io::Result<()> {
    let none = None::<&str>;
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none)?;
    umask(Mode::from_bits_truncate(0o077));
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("none"), dir, Some("tmpfs"), flags, Some("mode=0700,nr_inodes=16"))?;
    std::fs::write(format!("{dir}/token"), text)?;
    // SAFETY: takes three integers. The descriptors are closed at the exec.
    unsafe { libc::syscall(libc::SYS_close_range, 3, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    Ok(())
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    std::thread::sleep(Duration::from_millis(300));
    for number in 0..2000 {
        println!("DIR in COMMAND: tmpfs, {number}");
        eprintln!("mount(\"tmpfs\"): Operation not permitted, attempt {number}");
    }
    let (dir, text) = (words[0].clone(), words[1].clone());
    let mut command = Command::new(&words[3]);
    command.args(&words[4..]).env_clear().current_dir("/dev");
    // SAFETY: this process has one thread, so no lock is held in its child.
    unsafe { command.pre_exec(move || prepare(&dir, &text)) };
    let status = command.status().expect("COMMAND");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}
