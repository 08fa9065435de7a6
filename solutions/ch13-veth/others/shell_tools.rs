//! unshare(1), nsenter(1) and ip(8), from a shell that is already in the new network and becomes COMMAND.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};

/// The program, the shell's parent, stays in the lab.
const SCRIPT: &str = r#"set -e
    in_lab="nsenter --net=/proc/$PPID/ns/net"
    $in_lab sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
    ip link add cable type veth peer name "$1" netns $PPID
    $in_lab ip addr add "$2/24" dev "$1"
    $in_lab ip link set "$1" up
    ip link set lo up
    ip addr add "$3/24" dev cable
    ip link set cable up
    ip route add default via "$2"
    shift 4
    exec "$@""#;

fn main() {
    let words = std::env::args_os().skip(1);
    let mut shell = Command::new("unshare");
    shell.args(["--net", "sh", "-c", SCRIPT, "sh"]).args(words);
    let status = shell.status().expect("unshare");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}
