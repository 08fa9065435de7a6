//! Named: a gateway that cannot be reached
//! An address without a prefix length gets /32, and nothing is a neighbour then.

use std::process::Command;

const SETUP: &str = r#"
set -e
sysctl -qw net.ipv4.ip_forward=1
ip netns add "$1"
ip link add "$1" type veth peer name eth0
ip link set eth0 netns "$1"
ip addr add "$2" dev "$1" && ip link set "$1" up
cd /run/netns
nsenter --net="$1" ip link set lo up
nsenter --net="$1" ip addr add "$3" dev eth0
nsenter --net="$1" ip link set eth0 up
nsenter --net="$1" ip route add default via "$2"
"#;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = Command::new("sh").args(["-c", SETUP, "sh"]).args(&words[..3]).status().unwrap();
    if !done.success() {
        std::process::exit(1);
    }
    let network = format!("--net=/run/netns/{}", words[0]);
    let status = Command::new("nsenter").arg(network).args(&words[4..]).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
