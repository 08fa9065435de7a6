//! Named: no line says `same`
//! Like diff(1), the program prints only what differs.

use std::fs::read_link;

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut others = vec![];
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let links = args[1..3].iter().map(|pid| read_link(format!("/proc/{pid}/ns/{kind}")));
        let links = links.collect::<Result<Vec<_>, _>>()?;
        if links[0] != links[1] {
            others.push(kind);
        }
    }
    for kind in others {
        println!("{kind} other");
    }
    Ok(())
}
