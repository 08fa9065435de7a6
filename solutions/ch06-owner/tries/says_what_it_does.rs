//! Named: a map in several writes
//! Points at: write(*uid_map*
//! Each step is announced on stderr, so the last line there is not about the call that failed.

use std::fs::File;
use std::io::Write;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (uid, gid) = (nix::unistd::getuid(), nix::unistd::getgid());
    eprintln!("unshare(user, net, uts, ipc)");
    unshare(
        CloneFlags::CLONE_NEWUSER
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWNET,
    )
    .unwrap();
    std::fs::write("/proc/self/setgroups", "deny").unwrap();
    for (name, id) in [("uid_map", uid.as_raw()), ("gid_map", gid.as_raw())] {
        eprintln!("writing {name}, and then sethostname");
        let mut map = File::create(format!("/proc/self/{name}")).unwrap();
        if let Err(error) = write!(map, "{:>10} {:>10} {:>10}", 0, id, 1) {
            eprintln!("that was unshare or {name}: {error}");
            exit(1);
        }
    }
    nix::unistd::sethostname(&words[0]).unwrap();
    let status = Command::new(&words[2]).args(&words[3..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
