//! Named: another thread made the call
//! A worker prepares everything, and the first thread, which has not moved, starts COMMAND.

use std::process::Command;
use std::thread;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn prepare(dir: &str, text: &str) -> nix::Result<()> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_SLAVE | MsFlags::MS_REC, None::<&str>)?;
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), None::<&str>)?;
    std::fs::write(format!("{dir}/token"), text).expect("token");
    Ok(())
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (dir, text) = (words[0].clone(), words[1].clone());
    let worker = thread::spawn(move || prepare(&dir, &text));
    worker.join().expect("join").expect("prepare");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
