//! Has unshare(1) make the namespaces, and starts itself there a second time, to set the name.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, exit};

const INSIDE: &str = "--inside";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == INSIDE {
        nix::unistd::sethostname(&words[1]).expect("sethostname");
        panic!("execve: {}", Command::new(&words[3]).args(&words[4..]).exec());
    }
    let mut unshare = Command::new("unshare");
    unshare.args(["--user", "--map-root-user", "--net", "--uts", "--ipc", "--"]);
    let itself = std::env::current_exe().expect("readlink");
    let status = unshare.arg(itself).arg(INSIDE).args(&words).status().expect("unshare");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}
