//! Named: the file has another name
//! `token.txt`, out of habit.

use std::process::Command;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWNS).unwrap();
    let flags = MsFlags::MS_SLAVE | MsFlags::MS_REC;
    mount::<str, str, str, str>(None, "/", None, flags, None).unwrap();
    mount::<str, str, str, str>(Some("t"), &words[0], Some("tmpfs"), MsFlags::empty(), None)
        .unwrap();
    std::fs::write(format!("{}/token.txt", words[0]), &words[1]).unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
