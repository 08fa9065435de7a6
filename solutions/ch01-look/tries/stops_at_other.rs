//! Named: no answer follows the first `other`
//! The loop ends at the first kind that is not shared.

use std::ffi::OsString;
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
        let x = std::fs::read_link(format!("/proc/{one}/ns/{k}"))?;
        let y = std::fs::read_link(format!("/proc/{two}/ns/{k}"))?;
        if x != y {
            out.push(format!("{k} other"));
            break;
        }
        out.push(format!("{k} same"));
    }
    println!("{}", out.join("\n"));
    Ok(())
}
