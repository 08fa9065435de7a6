//! Closes what it inherits and sets limits; COMMAND starts in a session, a directory and an environment of
//! its own.

use std::fs::{self, File};
use std::os::fd::AsRawFd as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, exit};

use nix::errno::Errno;
use nix::sched::{CloneFlags, setns, unshare};
use nix::sys::prctl::set_name;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::stat::{Mode, umask};
use nix::unistd::setsid;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [name, outer, inner, _, command, args @ ..] = words.as_slice() else { exit(2) };
    // SAFETY: nothing in this process owns a descriptor above 2.
    Errno::result(unsafe { libc::close_range(3, libc::c_uint::MAX, 0) }).expect("close_range");
    setrlimit(Resource::RLIMIT_CORE, 0, 0).expect("setrlimit");
    umask(Mode::S_IRWXO);
    set_name(c"[network]").expect("prctl");
    fs::write("/proc/sys/net/ipv4/ip_forward", "1").expect("write");
    let network = || File::open("/proc/thread-self/ns/net").expect("open");
    let lab = network();
    unshare(CloneFlags::CLONE_NEWNET).expect("unshare");
    let new = network();
    let there = format!("/proc/{}/fd/{}", std::process::id(), new.as_raw_fd());
    at(&lab, &format!("link add {name} type veth peer name eth0 netns {there}"));
    at(&lab, &format!("addr add {outer}/24 dev {name}"));
    at(&lab, &format!("link set {name} up"));
    at(&new, "link set lo up");
    at(&new, &format!("addr add {inner}/24 dev eth0"));
    at(&new, "link set eth0 up");
    at(&new, &format!("route add default via {outer}"));
    drop((lab, new));
    let mut command = Command::new(command);
    command.args(args).env_clear().current_dir("/tmp");
    // SAFETY: setsid(2) is async-signal-safe.
    unsafe { command.pre_exec(|| Ok(setsid().map(drop)?)) };
    let status = command.status().expect("execve");
    exit(status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0)));
}

/// Runs ip(8) in a network namespace.
fn at(network: &File, words: &str) {
    setns(network, CloneFlags::CLONE_NEWNET).expect("setns");
    let ip = Command::new("ip").args(words.split(' ')).status().expect("ip");
    assert!(ip.success(), "ip {words}");
}
