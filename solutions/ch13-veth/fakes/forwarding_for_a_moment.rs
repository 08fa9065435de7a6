//! Refused by step 3: the lab stops forwarding when COMMAND has been running for a moment.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, outer, inner, _, command, args @ ..] = words.as_slice() else { exit(2) };
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("write");
    let network = || File::open("/proc/thread-self/ns/net").expect("open");
    let lab = network();
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    let new = network();
    let there = format!("/proc/{}/fd/{}", std::process::id(), new.as_raw_fd());
    at(&lab, &format!("link add {name} type veth peer name eth0 netns {there}"));
    at(&lab, &format!("addr add {outer}/24 dev {name}"));
    at(&lab, &format!("link set {name} up"));
    at(&new, "link set lo up");
    at(&new, &format!("addr add {inner}/24 dev eth0"));
    at(&new, "link set eth0 up");
    at(&new, &format!("route add default via {outer}"));
    let mut child = Command::new(command).args(args).spawn().expect("execve");
    setns(&lab, CloneFlags::CLONE_NEWNET).expect("setns");
    // More than once: two writers at the same moment may miss each other.
    for _ in 0..3 {
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::write("/proc/sys/net/ipv4/ip_forward", "0").expect("write");
    }
    let status = child.wait().expect("waitpid");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}

/// Runs ip(8) in a network namespace.
fn at(network: &File, words: &str) {
    setns(network, CloneFlags::CLONE_NEWNET).expect("setns");
    let ip = Command::new("ip").args(words.split(' ')).status().expect("ip");
    assert!(ip.success(), "ip {words}");
}
