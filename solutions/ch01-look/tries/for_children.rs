//! Named: the namespaces for children are looked at
//! Two of the links are those for children, because of a list that was copied from `ls`.

use std::fs::read_link;

const LINKS: [(&str, &str); 8] = [
    ("user", "user"),
    ("mnt", "mnt"),
    ("pid", "pid_for_children"),
    ("net", "net"),
    ("uts", "uts"),
    ("ipc", "ipc"),
    ("cgroup", "cgroup"),
    ("time", "time_for_children"),
];

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    for (kind, link) in LINKS {
        let one = read_link(format!("/proc/{}/ns/{link}", args[1]))?;
        let two = read_link(format!("/proc/{}/ns/{link}", args[2]))?;
        println!("{kind} {}", if one == two { "same" } else { "other" });
    }
    Ok(())
}
