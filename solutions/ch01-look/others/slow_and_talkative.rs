//! Starts slowly, prints what it is doing on both streams, and its answers in two columns.

use std::fs::metadata;
use std::os::unix::fs::MetadataExt as _;
use std::process::exit;
use std::time::Duration;

fn main() {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    std::thread::sleep(Duration::from_millis(300));
    println!("user namespaces and seven other kinds are compared\npid {} comes first", pids[0]);
    for line in 0..2000 {
        eprintln!("{line}: an eagerly kept journal");
    }
    let mut answers = Vec::new();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let [one, two] = [&pids[0], &pids[1]].map(|pid| {
            eprintln!("{kind} of {pid}");
            match metadata(format!("/proc/{pid}/ns/{kind}")) {
                Ok(found) => found.ino(),
                Err(error) => {
                    println!("that did not work: {error}");
                    exit(3)
                }
            }
        });
        answers.push((kind, if one == two { "same" } else { "other" }));
    }
    println!("these are the answers:");
    for (kind, answer) in answers {
        println!("  {kind:<8}{answer}");
    }
}
