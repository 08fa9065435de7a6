//! Named: every answer is `same`
//! All namespaces are on one device, so the answer is `same` for all of them.

use std::fs::File;
use std::os::fd::AsRawFd;

use nix::sys::stat::fstat;

fn main() -> anyhow::Result<()> {
    let args: Vec<_> = std::env::args().collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let first = File::open(format!("/proc/{}/ns/{kind}", args[1]))?;
        let second = File::open(format!("/proc/{}/ns/{kind}", args[2]))?;
        assert_ne!(first.as_raw_fd(), second.as_raw_fd());
        let same = fstat(&first)?.st_dev == fstat(&second)?.st_dev;
        println!("{kind} {}", if same { "same" } else { "other" });
    }
    Ok(())
}
