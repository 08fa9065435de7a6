//! Named: an end is moved to the network where it is
//! The inner end goes to the network of this process instead of the child's: the pids are mixed up.

use std::process::{Command, Stdio, exit};

fn ip(words: &[&str]) {
    if !Command::new("ip").args(words).status().unwrap().success() {
        eprintln!("ip {words:?} failed");
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (name, outer, inner) = (words[0].as_str(), &words[1], &words[2]);
    // Waits for a line before it goes on with COMMAND.
    let wait = r#"ip link set lo up; echo; read line <&3; ip addr add "$1/24" dev eth0
        ip link set eth0 up; ip route add default via "$2"; shift 2; exec "$@" 3<&-"#;
    let (read, write) = std::io::pipe().unwrap();
    let mut child = Command::new("unshare")
        .args(["--net", "sh", "-c", &wait.replace("<&3", ""), "sh", inner, outer])
        .args(&words[4..])
        .stdin(Stdio::from(read))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read(child.stdout.as_mut().unwrap(), &mut [0]).unwrap();
    std::fs::write("/proc/sys/net/ipv4/ip_forward", "1").unwrap();
    ip(&["link", "add", name, "type", "veth", "peer", "name", "eth0"]);
    ip(&["link", "set", "eth0", "netns", &std::process::id().to_string()]);
    ip(&["addr", "add", &format!("{outer}/24"), "dev", name]);
    ip(&["link", "set", name, "up"]);
    std::io::Write::write_all(&mut { write }, b"\n").unwrap();
    exit(child.wait().unwrap().code().unwrap_or(1));
}
