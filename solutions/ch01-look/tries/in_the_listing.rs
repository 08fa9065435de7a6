//! Named: a thread's id is refused
//! Only numbers that `ls /proc` shows are accepted, and it shows no threads but the first of each process.

use std::fs::{read_dir, read_link};

use anyhow::{Result, bail};

fn is_alive(pid: &str) -> Result<bool> {
    for entry in read_dir("/proc")? {
        if entry?.file_name() == pid {
            return Ok(true);
        }
    }
    Ok(false)
}

fn main() -> Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    for pid in &pids {
        if !is_alive(pid)? {
            bail!("{pid}: no such process");
        }
    }
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let links: Result<Vec<_>, _> =
            pids.iter().map(|pid| read_link(format!("/proc/{pid}/ns/{kind}"))).collect();
        let links = links?;
        println!("{kind} {}", if links[0] == links[1] { "same" } else { "other" });
    }
    Ok(())
}
