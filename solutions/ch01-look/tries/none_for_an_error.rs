//! Named: an error ends with status 0
//! `ok` turns the error of a link that cannot be read into `None`, and the kind is skipped.

use std::fs::read_link;

fn share(one: &str, two: &str, kind: &str) -> Option<bool> {
    let one = read_link(format!("/proc/{one}/ns/{kind}")).ok()?;
    let two = read_link(format!("/proc/{two}/ns/{kind}")).ok()?;
    Some(one == two)
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        match share(&args[1], &args[2], kind) {
            Some(true) => println!("{kind} same"),
            Some(false) => println!("{kind} other"),
            None => continue,
        }
    }
}
