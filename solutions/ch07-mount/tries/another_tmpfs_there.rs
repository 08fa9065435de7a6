//! Named: another tmpfs in PID's namespace
//! A child goes to PID's namespace and does the same there as its parent here.

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, setns, unshare};

const NONE: Option<&str> = None;

fn tmpfs(dir: &str, text: &str) {
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    mount(NONE, "/", NONE, MsFlags::MS_REC | MsFlags::MS_SLAVE, NONE).unwrap();
    mount(Some("tmpfs"), dir, Some("tmpfs"), MsFlags::empty(), NONE).unwrap();
    std::fs::write(format!("{dir}/token"), text).unwrap();
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").unwrap();
    let (dir, text) = (words[0].as_str(), words[1].as_str());
    if let Some(pid) = words[..at].get(3) {
        let there = std::fs::File::open(format!("/proc/{pid}/ns/mnt")).unwrap();
        let (dir, text) = (dir.to_owned(), text.to_owned());
        let mut helper = Command::new("/proc/self/exe");
        // SAFETY: there is one thread.
        unsafe {
            helper.pre_exec(move || {
                setns(&there, CloneFlags::CLONE_NEWNS)?;
                mount(Some("tmpfs"), dir.as_str(), Some("tmpfs"), MsFlags::empty(), NONE)?;
                std::fs::write(format!("{dir}/token"), &text)?;
                std::process::exit(0)
            })
        };
        _ = helper.status();
    }
    tmpfs(dir, text);
    let status = Command::new(&words[at + 1]).args(&words[at + 2..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
