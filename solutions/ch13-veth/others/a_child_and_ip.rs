//! ip(8) makes the pair with its other end in the network of a child, by the child's pid, and takes its time.

use std::fs;
use std::io::{Read as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

fn ip(words: &str) {
    let ip = Command::new("ip").args(words.split(' ')).status().expect("ip");
    assert!(ip.success(), "ip {words}");
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, outer, inner, _, command, args @ ..] = words.as_slice() else { exit(2) };
    let ((mut has_left, left), (mut is_joined, joined)) = (pipe().unwrap(), pipe().unwrap());
    // SAFETY: this process has one thread.
    let child = match unsafe { fork() }.expect("fork") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            drop((has_left, joined));
            unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
            drop(left);
            _ = is_joined.read(&mut [0]);
            ip(&format!("addr add {inner}/24 dev cable"));
            ip("link set lo up");
            ip("link set cable up");
            ip(&format!("route add default via {outer} dev cable"));
            let error = Command::new(command).args(args).exec();
            eprintln!("execve: {error}");
            exit(127);
        }
    };
    drop((left, is_joined));
    // The end of the file comes when the child has left.
    _ = has_left.read(&mut [0]);
    fs::write("/proc/sys/net/ipv4/ip_forward", "1\n").expect("write");
    ip(&format!("link add {name} type veth peer name cable netns {child}"));
    ip(&format!("addr add {outer}/24 brd + dev {name}"));
    ip(&format!("link set {name} up"));
    std::thread::sleep(std::time::Duration::from_millis(300));
    drop(joined);
    exit(match waitpid(child, None).expect("waitpid") {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    });
}
