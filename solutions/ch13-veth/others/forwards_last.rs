//! The file of ip_forward is opened in the lab, and written at the end, when the pair is there.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, outer, inner, _, command, args @ ..] = words.as_slice() else { exit(2) };
    let file = OpenOptions::new().write(true).open("/proc/sys/net/ipv4/ip_forward");
    let mut forwarding = file.expect("open");
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
    forwarding.write_all(b"1").expect("write");
    let status = Command::new(command).args(args).status().expect("execve");
    exit(status.code().unwrap_or(1));
}

/// Runs ip(8) in a network, and stays there.
fn at(network: &File, words: &str) {
    setns(network, CloneFlags::CLONE_NEWNET).expect("setns");
    assert!(Command::new("ip").args(words.split(' ')).status().expect("ip").success(), "{words}");
}
