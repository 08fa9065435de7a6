//! Named: the answers are inverted
//! The comparison is right, and the two words are exchanged.

use std::fs;
use std::os::unix::fs::MetadataExt;

fn answer(a: &str, b: &str, kind: &str) -> std::io::Result<&'static str> {
    let a = fs::metadata(format!("/proc/{a}/ns/{kind}"))?;
    let b = fs::metadata(format!("/proc/{b}/ns/{kind}"))?;
    Ok(if a.ino() == b.ino() { "other" } else { "same" })
}

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    for kind in "user mnt pid net uts ipc cgroup time".split(' ') {
        println!("{kind} {}", answer(&args[1], &args[2], kind)?);
    }
    Ok(())
}
