//! Named: a thread's id is refused
//! Both processes are to be held while they are looked at, but pidfd_open(2) takes no thread's id.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    for pid in &args {
        // SAFETY: takes two integers.
        let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.parse::<i32>()?, 0) };
        nix::errno::Errno::result(pidfd)?;
    }
    let mut lines = vec![];
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let one = metadata(format!("/proc/{}/ns/{kind}", args[0]))?;
        let two = metadata(format!("/proc/{}/ns/{kind}", args[1]))?;
        let same = (one.dev(), one.ino()) == (two.dev(), two.ino());
        lines.push(format!("{kind} {}", if same { "same" } else { "other" }));
    }
    println!("{}", lines.join("\n"));
    Ok(())
}
