//! Calls stat(2) on the paths, through nix.

use nix::errno::Errno;
use nix::sys::stat::stat;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let mut answers = String::new();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let look = |pid: &str| {
            stat(format!("/proc/{pid}/ns/{kind}").as_str())
                .map(|found| (found.st_dev, found.st_ino))
        };
        match (look(&words[0]), look(&words[1]), look("self")) {
            (Ok(one), Ok(two), _) => {
                answers += &format!("{kind} {}\n", if one == two { "same" } else { "other" });
            }
            (_, _, Err(Errno::ENOENT)) => {}
            (Err(errno), ..) | (_, Err(errno), _) => {
                eprintln!("stat: {errno}");
                std::process::exit(1);
            }
        }
    }
    print!("{answers}");
}
