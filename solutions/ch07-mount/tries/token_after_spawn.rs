//! Named: there is no file `token`
//! The file is written after the start of COMMAND, which does not wait for it.

use std::process::{Command, exit};

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (dir, none) = (args[1].as_str(), None::<&str>);
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(none, "/", none, MsFlags::MS_REC | MsFlags::MS_SLAVE, none).unwrap();
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), none).unwrap();
    let mut command = Command::new(&args[4]).args(&args[5..]).spawn().unwrap();
    std::fs::write(format!("{dir}/token"), &args[2]).unwrap();
    exit(command.wait().unwrap().code().unwrap_or(1))
}
