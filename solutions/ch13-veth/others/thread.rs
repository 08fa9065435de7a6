//! A thread moves to the new network and starts COMMAND there. The main thread stays in the lab and makes the
//! pair from there, by the thread's id.

use std::fs;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, exit};
use std::sync::mpsc::channel;
use std::thread;

use nix::sched::{CloneFlags, unshare};
use nix::unistd::gettid;

fn ip(words: &str) {
    let ip = Command::new("ip").args(words.split(' ')).status().expect("ip");
    assert!(ip.success(), "ip {words}");
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, outer, inner, _, command, args @ ..] = words.as_slice() else { exit(2) };
    let (moved, has_moved) = channel();
    let (joined, is_joined) = channel();
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("write");
    thread::scope(|scope| {
        scope.spawn(move || {
            unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
            moved.send(gettid()).expect("the main thread waits");
            is_joined.recv().expect("the main thread goes on");
            ip("link set lo up");
            ip(&format!("addr add {inner}/24 dev eth0"));
            ip("link set eth0 up");
            ip(&format!("route add default via {outer} dev eth0"));
            let status = Command::new(command).args(args).status().expect("execve");
            exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
        });
        let thread = has_moved.recv().expect("the thread has moved");
        let there = format!("/proc/{}/task/{thread}/ns/net", std::process::id());
        ip(&format!("link add {name} type veth peer name eth0 netns {there}"));
        ip(&format!("addr add {outer}/24 brd + dev {name}"));
        ip(&format!("link set {name} up"));
        joined.send(()).expect("the thread waits");
    });
}
