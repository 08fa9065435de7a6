//! Named: answers come with a failure
//! The exit status says whether the two are different, as cmp(1) does it.

use std::fs::read_link;
use std::process::ExitCode;

fn main() -> anyhow::Result<ExitCode> {
    let args: Vec<String> = std::env::args().collect();
    let mut answers = Vec::new();
    let mut status = 0;
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let one = read_link(format!("/proc/{}/ns/{kind}", args[1]))?;
        let two = read_link(format!("/proc/{}/ns/{kind}", args[2]))?;
        if one != two {
            status = 1;
        }
        answers.push(format!("{kind} {}", if one == two { "same" } else { "other" }));
    }
    println!("{}", answers.join("\n"));
    Ok(ExitCode::from(status))
}
