//! Named: the namespace is made before the move
//! The child leaves the cgroup namespace first, and goes into the cgroup afterwards.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, exit};

use nix::sched::{CloneFlags, unshare};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let dashes = words.iter().position(|word| word == "--").unwrap();
    let cgroup = words[..dashes].first().map(|name| format!("/sys/fs/cgroup/{name}"));
    if let Some(cgroup) = &cgroup {
        fs::create_dir(cgroup).expect("mkdir");
        for (file, at) in [("pids.max", 1), ("memory.max", 2)] {
            if dashes > at {
                fs::write(format!("{cgroup}/{file}"), &words[at]).expect("limit");
            }
        }
    }
    let inside = cgroup.clone();
    let mut command = Command::new(&words[dashes + 1]);
    command.args(&words[dashes + 2..]);
    // SAFETY: there is one thread.
    unsafe {
        command.pre_exec(move || {
            unshare(CloneFlags::CLONE_NEWCGROUP | CloneFlags::CLONE_NEWNS)?;
            if let Some(cgroup) = &inside {
                fs::write(format!("{cgroup}/cgroup.procs"), "0")?;
            }
            let mount = |words: &str| Command::new("sh").args(["-ec", words]).status();
            mount("mount --make-rprivate /; umount /sys/fs/cgroup")?;
            mount("mount -t cgroup2 none /sys/fs/cgroup").map(drop)
        })
    };
    let status = command.status().expect("execve");
    if let Some(cgroup) = cgroup {
        fs::remove_dir(cgroup).expect("rmdir");
    }
    exit(status.code().unwrap_or(1));
}
