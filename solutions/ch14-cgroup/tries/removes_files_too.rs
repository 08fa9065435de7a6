//! Named: the cgroup stays behind
//! `remove_dir_all` begins with the files, which cannot be removed, and its error is ignored.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

const VIEW: &str = "mount --make-rprivate /; umount /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup; exec \"$@\"";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").unwrap();
    let cgroup = words[..at].first().map(|name| format!("/sys/fs/cgroup/{name}"));
    let there = cgroup.clone();
    if let Some(cgroup) = &cgroup {
        fs::create_dir_all(cgroup).unwrap();
        for (file, value) in ["pids.max", "memory.max"].iter().zip(&words[1..at]) {
            fs::write(format!("{cgroup}/{file}"), value).unwrap();
        }
    }
    let mut command = Command::new("unshare");
    command.args(["-C", "-m", "sh", "-c", VIEW, "sh"]).args(&words[at + 1..]);
    let join = move || match &there {
        Some(cgroup) => fs::write(format!("{cgroup}/cgroup.procs"), "0"),
        None => Ok(()),
    };
    // SAFETY: there is one thread.
    unsafe { command.pre_exec(join) };
    let status = command.status().unwrap();
    if let Some(cgroup) = cgroup {
        let _ = fs::remove_dir_all(cgroup);
    }
    exit(status.code().unwrap_or(1));
}
