//! Named: the parent has moved as well
//! The parent writes its own pid instead of the child's.

use std::fs;
use std::io::{Read as _, pipe};
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit, id};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").unwrap();
    let cgroup = (at > 0).then(|| format!("/sys/fs/cgroup/{}", words[0]));
    if let Some(cgroup) = &cgroup {
        fs::create_dir(cgroup).unwrap();
        if at == 3 {
            fs::write(format!("{cgroup}/pids.max"), &words[1]).unwrap();
            fs::write(format!("{cgroup}/memory.max"), &words[2]).unwrap();
        }
    }
    let (mut wait, go) = pipe().unwrap();
    let mut command = Command::new("unshare");
    command.args(["--cgroup", "--mount", "sh", "-c"]);
    command.arg("umount /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; exec \"$@\"");
    command.arg("sh").args(&words[at + 1..]);
    // SAFETY: there is one thread.
    unsafe { command.pre_exec(move || wait.read(&mut [0]).map(drop)) };
    if let Some(cgroup) = &cgroup {
        fs::write(format!("{cgroup}/cgroup.procs"), id().to_string()).unwrap();
    }
    drop(go);
    let status = command.status().unwrap();
    if let Some(cgroup) = cgroup {
        fs::remove_dir(cgroup).unwrap();
    }
    exit(status.code().unwrap_or(1));
}
