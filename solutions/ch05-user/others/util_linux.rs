//! Has unshare(1) do it.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let ids = [format!("--map-user={}", words[0]), format!("--map-group={}", words[1])];
    let mut unshare = Command::new("unshare");
    unshare.arg("--user").args(ids).arg("--").args(&words[3..]);
    let status = unshare.status().expect("unshare");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap()));
}
