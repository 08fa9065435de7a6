//! Named: CGROUP is empty
//! The cgroup is made and removed, and in between it has no process in it.

use std::process::{Command, exit};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let at = words.iter().position(|word| word == "--").unwrap();
    let folder = match &words[..at] {
        [] => None,
        [name, limits @ ..] => {
            let folder = format!("/sys/fs/cgroup/{name}");
            std::fs::create_dir(&folder).unwrap();
            if let [pids, memory] = limits {
                std::fs::write(folder.clone() + "/pids.max", pids).unwrap();
                std::fs::write(folder.clone() + "/memory.max", memory).unwrap();
            }
            Some(folder)
        }
    };
    let script = "mount --make-rprivate / && umount /sys/fs/cgroup \
        && mount -t cgroup2 none /sys/fs/cgroup && exec \"$@\"";
    let mut unshare = Command::new("unshare");
    unshare.args(["--cgroup", "--mount", "--propagation", "unchanged", "sh", "-c", script, "sh"]);
    let status = unshare.args(&words[at + 1..]).status().unwrap();
    if let Some(folder) = folder {
        std::fs::remove_dir(folder).unwrap();
    }
    exit(status.code().unwrap_or(1));
}
