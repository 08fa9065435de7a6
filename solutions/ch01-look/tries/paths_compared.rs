//! Named: what is compared is different for every process
//! The two paths are compared, not what is behind them, and they have the pids in them.

use std::path::{Path, PathBuf};

fn namespace(pid: &str, kind: &str) -> anyhow::Result<PathBuf> {
    let path = Path::new("/proc").join(pid).join("ns").join(kind);
    anyhow::ensure!(path.try_exists()?, "{} does not exist", path.display());
    Ok(path)
}

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let same = namespace(&args[1], kind)? == namespace(&args[2], kind)?;
        println!("{kind} {}", if same { "same" } else { "other" });
    }
    Ok(())
}
