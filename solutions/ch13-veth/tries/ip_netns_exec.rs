//! Named: `ip netns exec` mounts a sysfs
//! COMMAND is started as every tutorial does it.

use std::process::{Command, exit};

fn ip(words: &str) {
    let status = Command::new("ip").args(words.split(' ')).status().expect("ip");
    if !status.success() {
        eprintln!("ip {words}: {status}");
        exit(1);
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, outer, inner, _, command @ ..] = words.as_slice() else { exit(2) };
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("ip_forward");
    ip(&format!("netns add {name}"));
    ip(&format!("link add {name} type veth peer name eth0"));
    ip(&format!("link set eth0 netns {name}"));
    ip(&format!("addr add {outer}/24 dev {name}"));
    ip(&format!("link set {name} up"));
    ip(&format!("-n {name} addr add {inner}/24 dev eth0"));
    ip(&format!("-n {name} link set eth0 up"));
    ip(&format!("-n {name} link set lo up"));
    ip(&format!("-n {name} route add default via {outer}"));
    let exec = Command::new("ip").args(["netns", "exec", name]).args(command).status();
    let status = exec.expect("ip netns exec");
    ip(&format!("netns del {name}"));
    exit(status.code().unwrap_or(1));
}
