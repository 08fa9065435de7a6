//! Named: a kind is missing
//! The list is from a text that is older than the namespaces for cgroups and time.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt;

fn main() -> anyhow::Result<()> {
    let args: Vec<_> = std::env::args().collect();
    for kind in ["mnt", "uts", "ipc", "net", "pid", "user"] {
        let first = metadata(format!("/proc/{}/ns/{kind}", args[1]))?;
        let second = metadata(format!("/proc/{}/ns/{kind}", args[2]))?;
        let same = (first.dev(), first.ino()) == (second.dev(), second.ino());
        println!("{kind} {}", if same { "same" } else { "other" });
    }
    Ok(())
}
