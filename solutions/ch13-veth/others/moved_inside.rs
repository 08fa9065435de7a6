//! Both ends are made in the lab. One of them is moved, by the pid of a child that has left the lab's network,
//! and is renamed there.

use std::fs;
use std::io::{Read as _, Write as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio, exit};

use nix::sched::{CloneFlags, unshare};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, fork};

/// Runs the lines of ip(8).
fn ip(lines: &str) {
    let mut ip =
        Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().expect("ip");
    ip.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("write");
    assert!(ip.wait().expect("waitpid").success(), "{lines}");
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, outer, inner, _, command, args @ ..] = words.as_slice() else { exit(2) };
    // A name has fifteen bytes at most, and nothing else in the lab has this one.
    let end = format!("end{}", std::process::id());
    let ((mut has_left, left), (mut is_joined, joined)) = (pipe().unwrap(), pipe().unwrap());
    // SAFETY: this process has one thread.
    let child = match unsafe { fork() }.expect("fork") {
        ForkResult::Parent { child } => child,
        ForkResult::Child => {
            drop((has_left, joined));
            unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
            drop(left);
            _ = is_joined.read(&mut [0]);
            ip(&format!(
                "link set lo up\nlink set {end} name uplink\naddr add {inner}/24 dev uplink\n\
                 link set uplink up\nroute add 0.0.0.0/0 via {outer}\n"
            ));
            let error = Command::new(command).args(args).exec();
            eprintln!("execve: {error}");
            exit(127);
        }
    };
    drop((left, is_joined));
    // The end of the file comes when the child has left; the other one, when the two are joined.
    _ = has_left.read(&mut [0]);
    ip(&format!(
        "link add {name} type veth peer name {end}\nlink set {end} netns {child}\n\
         addr add {outer}/24 dev {name}\nlink set {name} up\n"
    ));
    fs::write("/proc/sys/net/ipv4/conf/all/forwarding", "1").expect("write");
    drop(joined);
    exit(match waitpid(child, None).expect("waitpid") {
        WaitStatus::Exited(_, code) => code,
        WaitStatus::Signaled(_, signal, _) => 128 + signal as i32,
        _ => 1,
    });
}
