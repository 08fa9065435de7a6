//! Named: no user namespace above the process is found
//! Climbs the tree of processes, and prints each user namespace that is new.

use std::fs::{read_link, read_to_string};

fn ppid(pid: &str) -> Option<String> {
    let status = read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("PPid:"))?;
    Some(line.split_whitespace().nth(1)?.to_owned()).filter(|pid| pid != "0")
}

fn uid(pid: &str) -> String {
    let status = read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("Uid:")).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}

fn main() {
    let pid = std::env::args().nth(1).unwrap();
    let link = |pid: &str, kind: &str| {
        read_link(format!("/proc/{pid}/ns/{kind}")).ok().map(|link| link.display().to_string())
    };
    let own = link(&pid, "user").unwrap();
    let mut last = String::new();
    let mut next = Some(pid.clone());
    while let Some(pid) = next {
        let Some(user) = link(&pid, "user") else { break };
        if user != last {
            println!("user {user} uid {}", uid(&pid));
            last = user;
        }
        next = ppid(&pid);
    }
    for kind in ["mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        if link(&pid, kind).is_some() {
            println!("{kind} {own}");
        }
    }
}
