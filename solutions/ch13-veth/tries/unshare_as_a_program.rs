//! Named: another process made the call
//! Points at: unshare(
//! unshare(1) gets a network of its own and ends, and the rest is done in the lab.

use std::process::{Command, exit};

fn run(line: &str) {
    let words: Vec<_> = line.split(' ').collect();
    let status = Command::new(words[0]).args(&words[1..]).status();
    if !status.is_ok_and(|status| status.success()) {
        eprintln!("failed: {line}");
    }
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    run("sysctl -q -w net.ipv4.ip_forward=1");
    run("unshare --net true");
    run(&format!("ip link add {} type veth peer name eth0", args[1]));
    run(&format!("ip address add {}/24 dev {}", args[2], args[1]));
    run(&format!("ip address add {}/24 dev eth0", args[3]));
    run(&format!("ip link set {} up", args[1]));
    run("ip link set eth0 up");
    run("ip link set lo up");
    run(&format!("ip route add default via {}", args[2]));
    let status = Command::new(&args[5]).args(&args[6..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
