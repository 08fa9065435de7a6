//! Named: the address is given before the move
//! Both ends get their addresses in the lab, and then the inner one is moved.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Command;

use nix::sched::{CloneFlags, unshare};

fn sh(script: &str) {
    assert!(Command::new("sh").args(["-ec", script]).status().expect("sh").success());
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (name, outer, inner) = (&words[0], &words[1], &words[2]);
    sh("echo 1 > /proc/sys/net/ipv4/ip_forward");
    sh(&format!("ip link add {name} type veth peer name eth0"));
    sh(&format!("ip address add {outer}/24 dev {name}; ip link set {name} up"));
    sh(&format!("ip address add {inner}/24 dev eth0; ip link set eth0 up"));
    let lab = format!("/proc/{}/ns/net", std::process::id());
    let lab = std::fs::File::open(lab).expect("open");
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    let me = std::process::id();
    let fd = std::os::fd::AsRawFd::as_raw_fd(&lab);
    sh(&format!("nsenter --net=/proc/{me}/fd/{fd} ip link set eth0 netns {me}"));
    sh("ip link set lo up; ip link set eth0 up");
    let status = Command::new(&words[4]).args(&words[5..]).status().expect("execve");
    std::process::exit(status.code().unwrap_or(128 + status.signal().unwrap_or(0)));
}
