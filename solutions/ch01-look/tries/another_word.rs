//! Named: no line says `other`
//! The answers are right, but two namespaces that differ are `different`.

use std::fs::read_link;

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut lines = String::new();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let one = read_link(format!("/proc/{}/ns/{kind}", args[1]))?;
        let two = read_link(format!("/proc/{}/ns/{kind}", args[2]))?;
        lines += &format!("{kind} {}\n", if one == two { "same" } else { "different" });
    }
    print!("{lines}");
    Ok(())
}
