//! Named: the addresses are exchanged
//! The arguments are read in the wrong order.

use std::fs::File;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, setns};

fn main() {
    let mut words = std::env::args().skip(1);
    let (name, inner, outer) =
        (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    let command: Vec<String> = words.skip(1).collect();
    let script = format!(
        "set -e; ip netns add {name}
        one() {{ nsenter --net=/run/netns/{name} \"$@\"; }}
        ip link add {name} type veth peer name eth0
        ip link set eth0 netns {name}
        ip addr add {outer}/24 dev {name}; ip link set {name} up
        one ip addr add {inner}/24 dev eth0; one ip link set eth0 up; one ip link set lo up
        one ip route add default via {outer}
        echo 1 > /proc/sys/net/ipv4/ip_forward"
    );
    if !Command::new("sh").arg("-c").arg(script).status().unwrap().success() {
        exit(1);
    }
    let network = File::open(format!("/run/netns/{name}")).unwrap();
    setns(network, CloneFlags::CLONE_NEWNET).unwrap();
    let status = Command::new(&command[0]).args(&command[1..]).status().unwrap();
    exit(status.code().unwrap_or(1));
}
