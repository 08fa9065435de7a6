//! Named: an error was ignored
//! Points at: mount(*MS_NOSUID*
//! MS_NOSUID beside MS_SLAVE is EINVAL, and the result is thrown away.

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let _ = unshare(CloneFlags::CLONE_NEWNS);
    let flags = MsFlags::MS_SLAVE | MsFlags::MS_REC | MsFlags::MS_NOSUID;
    let _ = mount(Some("none"), "/", None::<&str>, flags, None::<&str>);
    let dir = words[0].as_str();
    let _ = mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::MS_NOSUID, None::<&str>);
    let _ = std::fs::write(format!("{dir}/token"), &words[1]);
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
