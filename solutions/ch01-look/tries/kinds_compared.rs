//! Named: every answer is `same`
//! Of `uts:[4026531838]` the part before the colon is compared.

use std::fs::read_link;

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    for kind in ["cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"] {
        let name = |pid: &String| -> std::io::Result<String> {
            let link = read_link(format!("/proc/{pid}/ns/{kind}"))?;
            Ok(link.to_string_lossy().split(':').next().unwrap_or_default().to_owned())
        };
        let same = name(&args[1])? == name(&args[2])?;
        println!("{kind} {}", if same { "same" } else { "other" });
    }
    Ok(())
}
