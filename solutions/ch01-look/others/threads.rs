//! Asks about each kind in a thread of its own, and gives one error in its own words for all of them.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::process::ExitCode;
use std::thread;

fn main() -> ExitCode {
    let pids: Vec<String> = std::env::args().skip(1).collect();
    let kinds = ["time", "user", "cgroup", "mnt", "ipc", "pid", "uts", "net"];
    let answers: Vec<_> = thread::scope(|scope| {
        let ask = |kind| {
            let open = |pid: &String| File::open(format!("/proc/{pid}/ns/{kind}"));
            let (one, two) = (open(&pids[0]).ok()?, open(&pids[1]).ok()?);
            Some((kind, one.metadata().ok()?.ino() == two.metadata().ok()?.ino()))
        };
        let threads = kinds.map(|kind| scope.spawn(move || ask(kind)));
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    if answers.contains(&None) {
        eprintln!("{} and {}: one of them is hidden from me, or gone", pids[0], pids[1]);
        return ExitCode::from(42);
    }
    for (kind, same) in answers.into_iter().flatten() {
        println!("{kind} {}", if same { "same" } else { "other" });
    }
    ExitCode::SUCCESS
}
