//! Named: the inherited /proc cannot be unmounted
//! Points at: umount2(
//! The old /proc is taken away before the new one is mounted.

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, wait};
use nix::unistd::{ForkResult, fork};

fn inside(words: &[String]) -> Result<(), Box<dyn std::error::Error>> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    umount2("/proc", MntFlags::MNT_DETACH)?;
    mount(Some("none"), "/proc", Some("proc"), MsFlags::empty(), None::<&str>)?;
    Err(Command::new(&words[0]).args(&words[1..]).exec().into())
}

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID).unwrap();
    // SAFETY: there is one thread.
    if let ForkResult::Child = unsafe { fork() }.unwrap() {
        let error = inside(&words).unwrap_err();
        eprintln!("child: {error}");
        std::process::exit(1);
    }
    let code = match wait().unwrap() {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        other => panic!("{other:?}"),
    };
    std::process::exit(code);
}
