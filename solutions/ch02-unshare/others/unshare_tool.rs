//! Lets unshare(1) make the namespace, and runs itself once more in there to set the name.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::unistd::sethostname;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[1] == "--" {
        let own = std::env::current_exe().expect("/proc/self/exe");
        let mut again = Command::new("unshare");
        again.args(["--uts", "--"]).arg(own).args([&words[0], "inside"]).args(&words[2..]);
        panic!("execve: {}", again.exec());
    }
    sethostname(&words[0]).expect("sethostname");
    let status = Command::new(&words[2]).args(&words[3..]).status().expect("execve");
    exit(status.code().unwrap_or(1));
}
