//! Named: a process is `other` than itself
//! Two processes are taken to share what both have of the machine's first namespaces.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt;

const FIRST: [(&str, u64); 8] = [
    ("user", 0xEFFF_FFFD),
    ("mnt", 0xEFFF_FFF8),
    ("pid", 0xEFFF_FFFC),
    ("net", 0xEFFF_FFF9),
    ("uts", 0xEFFF_FFFE),
    ("ipc", 0xEFFF_FFFF),
    ("cgroup", 0xEFFF_FFFB),
    ("time", 0xEFFF_FFFA),
];

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    for (kind, first) in FIRST {
        let is_first = |pid: &str| -> anyhow::Result<bool> {
            Ok(metadata(format!("/proc/{pid}/ns/{kind}"))?.ino() == first)
        };
        let both = is_first(&args[1])? && is_first(&args[2])?;
        println!("{kind} {}", if both { "same" } else { "other" });
    }
    Ok(())
}
