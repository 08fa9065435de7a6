//! Named: a gateway that cannot be reached
//! The route is added while the end is still down, and its error is ignored.

use std::fs::File;
use std::os::fd::AsRawFd as _;
use std::process::Command;

use nix::sched::{CloneFlags, setns, unshare};

fn ip(words: &str) {
    _ = Command::new("ip").args(words.split(' ')).status();
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
    let lab = File::open("/proc/self/ns/net").unwrap();
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    let new = File::open("/proc/self/ns/net").unwrap();
    setns(&lab, CloneFlags::CLONE_NEWNET).unwrap();
    let there = format!("/proc/{}/fd/{}", std::process::id(), new.as_raw_fd());
    ip(&format!("link add {} type veth peer name eth0 netns {there}", words[0]));
    ip(&format!("addr add {}/24 dev {}", words[1], words[0]));
    ip(&format!("link set {} up", words[0]));
    setns(&new, CloneFlags::CLONE_NEWNET).unwrap();
    ip(&format!("addr add {}/24 dev eth0", words[2]));
    ip(&format!("route add default via {}", words[1]));
    ip("link set eth0 up");
    ip("link set lo up");
    let status = Command::new(&words[4]).args(&words[5..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
