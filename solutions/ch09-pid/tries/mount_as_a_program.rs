//! Named: the first child has ended
//! mount(8) mounts /proc in the new namespaces, and is the first child there.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(2).collect();
    unshare(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS).expect("unshare");
    Command::new("mount").args(["--make-rprivate", "/"]).status().expect("mount");
    Command::new("mount").args(["-t", "proc", "proc", "/proc"]).status().expect("mount");
    match Command::new(&words[0]).args(&words[1..]).status() {
        Ok(status) => exit(status.code().unwrap_or(1)),
        Err(error) => {
            eprintln!("{}: {error}", words[0]);
            exit(127)
        }
    }
}
