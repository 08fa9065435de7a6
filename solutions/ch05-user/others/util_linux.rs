//! Has unshare(1) do it, which starts this program once more: a failed exec of its own has another status.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words[0] == "inside" {
        let error = Command::new(&words[1]).args(&words[2..]).exec();
        eprintln!("{}: {error}", words[1]);
        exit(127);
    }
    let ids = [format!("--map-user={}", words[0]), format!("--map-group={}", words[1])];
    let mut unshare = Command::new("unshare");
    unshare.arg("--user").args(ids).arg("--");
    unshare.arg(std::env::current_exe().unwrap()).arg("inside").args(&words[3..]);
    let status = unshare.status().expect("unshare");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}
