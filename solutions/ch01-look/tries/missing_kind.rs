//! Named: a missing link is taken for a missing kind
//! Both processes have to exist, and a link that is missing is one that this kernel does not have.

use std::fs::{File, metadata};
use std::io::{ErrorKind, Result};
use std::os::unix::fs::MetadataExt as _;

fn number(pid: &str, kind: &str) -> Result<Option<(File, u64)>> {
    metadata(format!("/proc/{pid}"))?;
    match File::open(format!("/proc/{pid}/ns/{kind}")) {
        Ok(file) => {
            let number = file.metadata()?.ino();
            Ok(Some((file, number)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn main() -> Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let (one, two) = (number(&pids[0], kind)?, number(&pids[1], kind)?);
        let (Some((_one, first)), Some((_two, second))) = (one, two) else { continue };
        println!("{kind} {}", if first == second { "same" } else { "other" });
    }
    Ok(())
}
