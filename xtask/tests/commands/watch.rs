//! `watch` where there is no terminal: no keys, nothing drawn over, one check a save.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use harness::report::Excerpt;
use harness::verdict::{Outcome, Verdict};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::checkout::{Checkout, verdict};

#[test]
fn a_save_is_checked() {
    let checkout = Checkout::new("watch");
    // Without an end of its own, it would keep a test that fails waiting forever.
    let mut child = Command::new("timeout")
        .args(["--signal=KILL", "30"])
        .arg(cargo_bin!("xtask"))
        .arg("watch")
        .env("NAMESPACES_BY_HAND_ROOT", &checkout.root)
        .env("CARGO", checkout.root.join("cargo"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut all = Vec::new();
    let mut heard = |word: &str| {
        let mut lines = lines.by_ref().inspect(|line| all.push(line.clone()));
        lines.find(|line| line.contains(word))
    };
    assert!(heard("solved").is_some());
    assert!(heard("waiting for the next save").is_some());
    // The lock of an editor is no save. A check of it would have passed once more.
    let lock = checkout.root.join("exercises/ch01-one/src/.#main.rs");
    std::os::unix::fs::symlink("me@host.1", lock).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    let saw = Excerpt::read("host: a\x1b[2J\u{9b}b");
    checkout.verdict("ch01-one", "step1_it_runs", &Verdict { saw, ..verdict(Outcome::Failed) });
    checkout.write("exercises/ch01-one/src/main.rs", "fn main() { /* saved */ }\n");
    assert_eq!(heard("FAIL").as_deref(), Some("  FAIL    step 1: it runs"));
    assert_eq!(heard("saw  ").as_deref(), Some("  saw    | host: ab"));
    assert_eq!(all.iter().filter(|line| line.contains("solved")).count(), 1, "{all:?}");
    // timeout(1) passes it on; a SIGKILL would leave the watch alone.
    kill(Pid::from_raw(child.id() as i32), Signal::SIGTERM).unwrap();
    child.wait().unwrap();
}
