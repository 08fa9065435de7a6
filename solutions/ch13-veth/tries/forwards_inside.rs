//! Named: the lab does not forward
//! Points at: write(
//! The setting is written last, in the new network.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::process::Command;

fn ip(network: &File, words: &str) {
    nix::sched::setns(network, nix::sched::CloneFlags::CLONE_NEWNET).unwrap();
    assert!(Command::new("ip").args(words.split_whitespace()).status().unwrap().success());
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let lab = File::open("/proc/self/ns/net").unwrap();
    // SAFETY: takes an integer.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
    let new = File::open("/proc/self/ns/net").unwrap();
    let (name, pid) = (&words[0], std::process::id());
    ip(
        &lab,
        &format!(
            "link add {name} type veth peer name eth0 netns /proc/{pid}/fd/{}",
            new.as_raw_fd()
        ),
    );
    ip(&lab, &format!("address add {}/24 dev {name}", words[1]));
    ip(&lab, &format!("link set {name} up"));
    ip(&new, &format!("address add {}/24 dev eth0", words[2]));
    ip(&new, "link set eth0 up");
    ip(&new, "link set lo up");
    ip(&new, &format!("route add default via {}", words[1]));
    fs::write("/proc/sys/net/ipv4/ip_forward", "1\n").unwrap();
    let status = Command::new(&words[4]).args(&words[5..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
