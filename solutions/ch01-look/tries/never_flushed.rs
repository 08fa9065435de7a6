//! Named: no answer can be read
//! The answers are in a buffer when the program exits, and `exit` runs no destructor.

use std::fs::read_link;
use std::io::{BufWriter, Write, stdout};
use std::process::exit;

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let mut out = BufWriter::new(stdout());
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let one = read_link(format!("/proc/{}/ns/{kind}", args[1]))?;
        let two = read_link(format!("/proc/{}/ns/{kind}", args[2]))?;
        writeln!(out, "{kind} {}", if one == two { "same" } else { "other" })?;
    }
    exit(0)
}
