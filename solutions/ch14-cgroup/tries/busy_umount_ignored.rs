//! Named: an error was ignored
//! Points at: mount(
//! The working directory is in the old mount, so umount(2) fails, and then mount(2) does.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitCode};

use nix::mount::{MsFlags, mount, umount};
use nix::sched::{CloneFlags, unshare};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").unwrap();
    unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS).unwrap();
    std::env::set_current_dir("/sys/fs/cgroup").unwrap();
    let none: Option<&str> = None;
    let _ = mount(none, "/", none, MsFlags::MS_PRIVATE | MsFlags::MS_REC, none);
    let _ = umount("/sys/fs/cgroup");
    let _ = mount(Some("cg"), "/sys/fs/cgroup", Some("cgroup2"), MsFlags::empty(), none);
    let status = Command::new(&words[at + 1]).args(&words[at + 2..]).status().unwrap();
    ExitCode::from(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()) as u8)
}
