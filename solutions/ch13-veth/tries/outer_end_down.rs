//! Named: an end is down
//! Only the inner end is set up.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let script = r#"
        echo 1 > /proc/sys/net/ipv4/ip_forward || exit 1
        ip netns add $NAME
        ip link add $NAME type veth peer name eth0 netns $NAME
        ip addr add $OUTER/24 dev $NAME
        nsenter --net=/run/netns/$NAME sh -c '
            ip link set lo up
            ip addr add $INNER/24 dev eth0
            ip link set eth0 up
            ip route add default via $OUTER
            exec "$@"' sh "$@"
        code=$?; ip netns del $NAME; exit $code"#;
    let mut shell = Command::new("sh");
    shell.args(["-c", script, "sh"]).args(&args[5..]);
    let error = shell.env("NAME", &args[1]).env("OUTER", &args[2]).env("INNER", &args[3]).exec();
    eprintln!("{error}");
    exit(1);
}
