//! Named: there is no default route
//! The default route is added to the lab's table.

use std::process::Command;

const SCRIPT: &str = r#"
name=$1 outer=$2 inner=$3; shift 4
echo 1 > /proc/sys/net/ipv4/ip_forward
unshare --net sh -c 'ip link set lo up; read go; exec "$@"' sh "$@" < "$fifo" &
sleep 0.3
ip link add $name type veth peer name eth0 netns $!
ip addr add $outer/24 dev $name
ip link set $name up
nsenter -t $! -n ip addr add $inner/24 dev eth0
nsenter -t $! -n ip link set eth0 up
ip route add default via $inner
echo go > "$fifo"
wait $!
"#;

fn main() {
    let fifo = format!("/tmp/{}", std::process::id());
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    // Held open for both, so that neither open(2) blocks.
    let _held = std::fs::OpenOptions::new().read(true).write(true).open(&fifo).unwrap();
    let mut shell = Command::new("sh");
    shell.env("fifo", &fifo).args(["-c", SCRIPT, "sh"]).args(std::env::args().skip(1));
    let status = shell.status().unwrap();
    std::fs::remove_file(&fifo).unwrap();
    std::process::exit(status.code().unwrap_or(1));
}
