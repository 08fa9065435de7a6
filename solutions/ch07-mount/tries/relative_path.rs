//! Named: the file is under the mount
//! The working directory is older than the mount, and a relative path starts from it.

use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (dir, none) = (args[1].as_str(), None::<&str>);
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).unwrap();
    std::env::set_current_dir(dir).unwrap();
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), none).unwrap();
    std::fs::write("token", &args[2]).unwrap();
    let status = Command::new(&args[4]).args(&args[5..]).status().unwrap();
    exit(status.code().unwrap_or(1))
}
