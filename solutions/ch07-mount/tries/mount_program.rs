//! Named: another process made the call
//! unshare(1) and mount(8) are started one after the other, each for itself.

use std::process::Command;

fn run(words: &[&str]) {
    let status = Command::new(words[0]).args(&words[1..]).status().expect(words[0]);
    assert!(status.success(), "{words:?}");
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    run(&["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", &words[0]]);
    std::fs::write(format!("{}/token", words[0]), &words[1]).expect("token");
    let status = Command::new(&words[3]).args(&words[4..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(1));
}
