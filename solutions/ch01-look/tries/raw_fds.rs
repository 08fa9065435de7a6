//! Named: a process is `other` than itself
//! The numbers of two descriptors are compared, which are different for any two open files.

use std::ffi::OsString;
use std::os::fd::AsRawFd as _;
use std::process::ExitCode;

use anyhow::{Result, anyhow};

fn main() -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let outcome = match words.as_slice() {
        [one, two] => look(&one.to_string_lossy(), &two.to_string_lossy()),
        _ => Err(anyhow!("usage: ch01-look PID PID")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("ch01-look: {error:#}");
            ExitCode::FAILURE
        }
    }
}

const KINDS: [&str; 8] = ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"];

fn look(one: &str, two: &str) -> Result<()> {
    let mut out = vec![];
    for k in KINDS {
        let x = std::fs::File::open(format!("/proc/{one}/ns/{k}"))?;
        let y = std::fs::File::open(format!("/proc/{two}/ns/{k}"))?;
        out.push(format!("{k} {}", if x.as_raw_fd() == y.as_raw_fd() { "same" } else { "other" }));
    }
    println!("{}", out.join("\n"));
    Ok(())
}
