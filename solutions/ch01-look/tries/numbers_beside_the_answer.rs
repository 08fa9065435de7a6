//! Named: no answer can be read
//! The numbers that were compared stand behind each answer.

use std::ffi::OsString;
use std::fs::{self};
use std::os::unix::fs::MetadataExt;
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

fn look(one: &str, two: &str) -> Result<()> {
    let mut out = String::new();
    for kind in ["user", "mnt", "pid", "net", "uts", "ipc", "cgroup", "time"] {
        let a = fs::metadata(format!("/proc/{one}/ns/{kind}"))?.ino();
        let b = fs::metadata(format!("/proc/{two}/ns/{kind}"))?.ino();
        out += &format!("{kind} {} ({a} {b})\n", if a == b { "same" } else { "other" });
    }
    print!("{out}");
    Ok(())
}
