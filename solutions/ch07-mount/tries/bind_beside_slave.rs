//! Named: MS_BIND stands beside MS_SLAVE
//! `/` is bound on itself and made a slave "at once".

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWNS).expect("unshare");
    let all = MsFlags::MS_BIND | MsFlags::MS_REC | MsFlags::MS_SLAVE;
    mount(Some("/"), "/", None::<&str>, all, None::<&str>).expect("bind");
    let dir = words[0].as_str();
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), None::<&str>).expect("tmpfs");
    std::fs::write(format!("{dir}/token"), &words[1]).expect("token");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
