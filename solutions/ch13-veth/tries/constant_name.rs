//! Named: the lab's end has another name
//! The outer end is called veth0 as in the example that it was copied from.

use std::os::fd::{AsFd as _, AsRawFd as _};
use std::process::Command;

use nix::sched::{CloneFlags, setns, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [_name, outer, inner, _, command, args @ ..] = words.as_slice() else { panic!("usage") };
    let run = |words: &str| {
        let mut all = words.split(' ');
        let status = Command::new(all.next().unwrap()).args(all).status().unwrap();
        assert!(status.success(), "{words}");
    };
    run("sysctl -qw net.ipv4.ip_forward=1");
    let old = std::fs::File::open("/proc/self/ns/net").unwrap();
    unshare(CloneFlags::CLONE_NEWNET).unwrap();
    let new = std::fs::File::open("/proc/self/ns/net").unwrap();
    let path = format!("/proc/{}/fd/{}", std::process::id(), new.as_raw_fd());
    setns(old.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
    run(&format!("ip link add veth0 type veth peer name veth1 netns {path}"));
    run(&format!("ip addr add {outer}/24 dev veth0"));
    run("ip link set veth0 up");
    setns(new.as_fd(), CloneFlags::CLONE_NEWNET).unwrap();
    run("ip link set lo up");
    run(&format!("ip addr add {inner}/24 dev veth1"));
    run("ip link set veth1 up");
    run(&format!("ip route add default via {outer}"));
    let status = Command::new(command).args(args).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
