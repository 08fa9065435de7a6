//! Named: an error ends with status 0
//! The error is printed, and the program ends as if it had answered.

use std::fs::read_link;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let one = read_link(format!("/proc/{}/ns/{kind}", args[1]));
        let two = read_link(format!("/proc/{}/ns/{kind}", args[2]));
        match (one, two) {
            (Ok(one), Ok(two)) if one == two => println!("{kind} same"),
            (Ok(_), Ok(_)) => println!("{kind} other"),
            (Err(error), _) | (_, Err(error)) => eprintln!("{kind}: {error}"),
        }
    }
}
