//! Named: another thread made the call
//! Points at: unshare(
//! A thread makes the new network and lays the cable from there; COMMAND is started by main.

use std::os::fd::AsRawFd as _;
use std::process::Command;
use std::{fs, thread};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
    let (name, outer, inner) = (words[0].clone(), words[1].clone(), words[2].clone());
    let lab = fs::File::open("/proc/self/ns/net").unwrap();
    let network = thread::spawn(move || {
        unshare(CloneFlags::CLONE_NEWNET).unwrap();
        let lab = format!("/proc/{}/fd/{}", std::process::id(), lab.as_raw_fd());
        let script = format!(
            "set -e
            ip link add eth0 type veth peer name {name} netns {lab}
            ip link set lo up; ip addr add {inner}/24 dev eth0; ip link set eth0 up
            nsenter --net={lab} ip addr add {outer}/24 dev {name}
            nsenter --net={lab} ip link set {name} up
            ip route add default via {outer}"
        );
        assert!(Command::new("sh").args(["-c", &script]).status().unwrap().success());
        thread::park();
    });
    while !fs::exists(format!("/sys/class/net/{}", words[0])).unwrap() && !network.is_finished() {
        thread::sleep(std::time::Duration::from_millis(50));
        if fs::read_to_string("/proc/net/route").unwrap().contains(&words[0]) {
            break;
        }
    }
    let status = Command::new(&words[4]).args(&words[5..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
