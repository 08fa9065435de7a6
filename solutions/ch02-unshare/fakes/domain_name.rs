//! Refused by step 2: it sets the NIS domain name, which is in the same namespace, instead of the host name.

use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    unshare(CloneFlags::CLONE_NEWUTS).expect("unshare");
    // SAFETY: the name has this length.
    let set = unsafe { libc::setdomainname(words[0].as_ptr().cast(), words[0].len()) };
    assert_eq!(set, 0, "setdomainname");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
