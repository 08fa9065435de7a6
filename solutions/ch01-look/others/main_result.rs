//! Returns its error from `main`, which prints it in the format of Debug.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;

use anyhow::Context as _;

fn main() -> anyhow::Result<()> {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    let mut answers = String::new();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let look = |pid: &str| -> anyhow::Result<File> {
            let path = format!("/proc/{pid}/ns/{kind}");
            File::open(&path).with_context(|| format!("open({path:?})"))
        };
        let (one, two) = (look(&pids[0])?, look(&pids[1])?);
        let same = one.metadata()?.ino() == two.metadata()?.ino();
        answers += &format!("{kind} {}\n", if same { "same" } else { "other" });
    }
    print!("{answers}");
    Ok(())
}
