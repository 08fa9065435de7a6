//! Named: the gid is forgotten
//! "I only need to be root": the group is not thought of.

use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    // SAFETY: it cannot fail.
    let uid = unsafe { libc::getuid() };
    // SAFETY: takes an integer.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER) } != 0 {
        panic!("unshare: {}", std::io::Error::last_os_error());
    }
    std::fs::write("/proc/self/uid_map", format!("{} {} 1", words[0], uid)).unwrap();
    let status = Command::new(&words[3]).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
