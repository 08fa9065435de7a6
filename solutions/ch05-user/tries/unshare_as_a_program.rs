//! Named: another process made the call
//! unshare(1) is started as if it changed the shell that starts it, and changes itself only.

use std::process::Command;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let user = format!("--map-user={}", words[0]);
    let group = format!("--map-group={}", words[1]);
    let made = Command::new("unshare").args(["--user", &user, &group, "true"]).status();
    if !made.expect("unshare(1)").success() {
        std::process::exit(1);
    }
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("COMMAND");
    std::process::exit(status.code().unwrap_or(1));
}
