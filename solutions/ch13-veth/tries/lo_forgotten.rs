//! Named: lo is down
//! A shell script as in most posts about network namespaces, which care for the cable only.

use std::process::Command;

const SCRIPT: &str = r#"
name=$1 outer=$2 inner=$3; shift 4
echo 1 > /proc/sys/net/ipv4/ip_forward
ip netns add "$name"
ip link add "$name" type veth peer name eth0 netns "$name"
ip addr add "$outer/24" dev "$name"
ip link set "$name" up
nsenter --net="/run/netns/$name" ip addr add "$inner/24" dev eth0
nsenter --net="/run/netns/$name" ip link set eth0 up
nsenter --net="/run/netns/$name" ip route add default via "$outer"
nsenter --net="/run/netns/$name" "$@"
status=$?
ip netns delete "$name"
exit $status
"#;

fn main() {
    let words = std::env::args().skip(1);
    let status = Command::new("sh").args(["-c", SCRIPT, "sh"]).args(words).status().unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
