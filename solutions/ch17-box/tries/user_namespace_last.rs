//! Named: the user namespace comes last
//! Points at: unshare(
//! One kind after the other, in the order of the chapters.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").expect("usage");
    for kind in [
        CloneFlags::CLONE_NEWUTS,
        CloneFlags::CLONE_NEWNS,
        CloneFlags::CLONE_NEWPID,
        CloneFlags::CLONE_NEWIPC,
        CloneFlags::CLONE_NEWNET,
        CloneFlags::CLONE_NEWCGROUP,
        CloneFlags::CLONE_NEWUSER,
    ] {
        if let Err(errno) = unshare(kind) {
            eprintln!("unshare({kind:?}): {errno}");
            exit(1);
        }
    }
    let status = Command::new("chroot").arg(&words[at - 1]).args(&words[at + 1..]).status();
    exit(status.unwrap().code().unwrap_or(1));
}
